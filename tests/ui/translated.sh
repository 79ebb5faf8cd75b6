#!/bin/sh
# translated.sh SOURCE LANGUAGE - every string that the window marks for translation has one.
set -u
command -v xgettext >/dev/null && command -v msgcmp >/dev/null || exit 77
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$1" || exit 1
xgettext --from-code=UTF-8 --keyword=_ --keyword=N_ --keyword=ngettext:1,2 --files-from=data/po/POTFILES -o "$T/all.pot" || exit 1
msgfmt -c -o /dev/null "data/po/$2.po" || exit 1
msgcmp "data/po/$2.po" "$T/all.pot"
