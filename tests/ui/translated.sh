#!/bin/sh
# translated.sh SOURCE LANGUAGE - every string that a person can see has a translation, none is a guess (fuzzy) or left
# over from a text that is gone, it names the same key, and it is filled in with the same values: one whose %d became
# %s would end the program. The po files do not say which texts are formats, the sources do.
set -u
command -v xgettext >/dev/null && command -v msgcmp >/dev/null || exit 77
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$1" || exit 1
xgettext --from-code=UTF-8 $(cat data/po/keywords) --files-from=data/po/POTFILES -o "$T/all.pot" || exit 1
msgfmt -c -o /dev/null "data/po/$2.po" || exit 1
grep -v '\.ui$' data/po/POTFILES >"$T/code"
xgettext --from-code=UTF-8 $(cat data/po/keywords) --files-from="$T/code" -o "$T/code.pot" || exit 1
msgmerge -q --no-fuzzy-matching "data/po/$2.po" "$T/code.pot" -o "$T/formats.po" || exit 1
msgattrib --clear-fuzzy "$T/formats.po" -o "$T/formats.po" && msgfmt -c -o /dev/null "$T/formats.po" || exit 1
# A key of one letter, at the end: "Pause (P)". Keys with names (Ctrl, Delete) have others in other languages.
msgcat --no-wrap "data/po/$2.po" | awk '
  /^msgid ".*\([A-Z0-9]\)"$/ { key = substr($0, length($0) - 3, 3) }
  /^msgstr ".*"$/ && key != "" { if (index($0, key) == 0) { print "not " key ": " $0; bad = 1 } key = "" }
  END { exit bad }' || exit 1
msgcmp "data/po/$2.po" "$T/all.pot" 2>"$T/said"
status=$?
cat "$T/said"
! grep -q 'not used' "$T/said" && [ "$(msgattrib --only-fuzzy "data/po/$2.po")" = "" ] &&
  [ "$(msgattrib --only-obsolete "data/po/$2.po")" = "" ] && exit $status
