#!/usr/bin/env bash
# completion.sh PROGRAM - what `safelight completion SHELL` prints is read by the shell and completes commands, options and words.
program=$1
count=0 status=0
ok() {
  count=$((count + 1))
  if [ "$2" = "$3" ]; then echo "ok $count - $1"; else echo "not ok $count - $1: \"$2\", expected \"$3\""; status=1; fi
}
# complete_words WORD...: what bash offers for the last of them.
complete_words() {
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  _safelight
  echo "${COMPREPLY[*]}"
}
script=$("$program" completion bash)
ok "bash reads it" "$(bash -n <<<"$script" 2>&1)" ""
eval "$script"
ok "a command" "$(complete_words safelight gen)" "generate"
ok "an option of the command" "$(complete_words safelight branch --ste)" "--steps --step"
ok "not one of another command" "$(complete_words safelight info --ste)" ""
ok "a scheduler" "$(complete_words safelight generate --scheduler unip)" "unipc"
ok "a word of a choice" "$(complete_words safelight generate --dtype b)" "bf16"
ok "files where there is no list" "$(complete_words safelight generate --output o)" ""
for shell in zsh fish; do
  script=$("$program" completion $shell)
  ok "$shell knows the option --scheduler" "$(grep -c 'scheduler' <<<"$script" | sed 's/[1-9][0-9]*/some/')" "some"
  case $shell in
  zsh) check="zsh -n" ;;
  fish) check="fish --no-execute" ;;
  esac
  if command -v $shell >/dev/null; then
    ok "$shell reads it" "$($check <<<"$script" 2>&1)" ""
  else
    count=$((count + 1))
    echo "ok $count - $shell reads it # SKIP $shell is not installed"
  fi
done
ok "another shell is refused" "$("$program" completion csh 2>&1)" "safelight: the shell is \"csh\"; expected bash, zsh or fish"
echo "1..$count"
exit $status
