#!/usr/bin/env bash
# The function thumbnail, with pictures made here.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

serve "$NUR_FUNCTIONS"
python3 "$case_folder/thumbnails.py" "$url" || fail "see above"
stop_server
