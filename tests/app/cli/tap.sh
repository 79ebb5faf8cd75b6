# tap.sh - sourced by the scripts that try the program: cases as TAP, a folder that goes away, a control group.
program=$(realpath "$1")
count=0 status=0 folder='' group=''
clean_up() {
  [ -z "$folder" ] || rm -rf "$folder"
  [ -z "$group" ] || rmdir "$group"
}
trap clean_up EXIT
in_folder_of_its_own() {
  folder=$(mktemp -d)
  cd "$folder" || exit 1
}
# ok WHAT FOUND EXPECTED
ok() {
  count=$((count + 1))
  if [ "$2" = "$3" ]; then echo "ok $count - $1"; else echo "not ok $count - $1: \"$2\", expected \"$3\""; status=1; fi
}
finish() {
  echo "1..$count"
  exit $status
}
# group_with CONTROLLER FILE_V2 FILE_V1 LIMIT: a new control group of either version with this limit, where this user may make one; $group.
group_with() {
  local base kind options file
  while read -r _ base kind options _; do
    case $kind,$options in
    cgroup2,*) file=$2 ;;
    cgroup,*,"$1" | cgroup,*,"$1",*) file=$3 ;;
    *) continue ;;
    esac
    mkdir "$base/safelight-$$" 2>/dev/null || continue
    [ -z "$group" ] || rmdir "$group"
    group=$base/safelight-$$
    [ -e "$group/$file" ] && echo "$4" 2>/dev/null >"$group/$file" && return 0
    rmdir "$group"
    group=
  done </proc/mounts
  return 1
}
