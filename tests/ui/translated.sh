#!/bin/sh
# translated.sh SOURCE LANGUAGE - every string that the window marks for translation has one, and it names the same key.
set -u
command -v xgettext >/dev/null && command -v msgcmp >/dev/null || exit 77
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$1" || exit 1
xgettext --from-code=UTF-8 --keyword=_ --keyword=N_ --keyword=ngettext:1,2 --files-from=data/po/POTFILES -o "$T/all.pot" || exit 1
msgfmt -c -o /dev/null "data/po/$2.po" || exit 1
# A key of one letter, at the end: "Pause (P)". Keys with names (Ctrl, Delete) have others in other languages.
msgcat --no-wrap "data/po/$2.po" | awk '
  /^msgid ".*\([A-Z0-9]\)"$/ { key = substr($0, length($0) - 3, 3) }
  /^msgstr ".*"$/ && key != "" { if (index($0, key) == 0) { print "not " key ": " $0; bad = 1 } key = "" }
  END { exit bad }' || exit 1
msgcmp "data/po/$2.po" "$T/all.pot"
