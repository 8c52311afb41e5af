# shellcheck shell=bash
# functions/NAME/ -> NAME.so, in two steps of which each is repeated only when its input changed:
#
#   functions/NAME/build  ->  build/functions/wasm/NAME.wasm  ->  build/functions/NAME.so
#   functions/NAME/NAME.wat  ------------------------------->
#
# A step is done when its stamp is newer than all it read. The stamp gets the time at which the step
# began, so that a file changed meanwhile counts as newer. A build script that misses a compiler ends
# with 77 and says which; its function is left out, and tried again the next time.
: "${root:?}" "${build:?}"

# is_newer STAMP PATH...: whether the stamp is missing or something at or below a path is newer.
is_newer() {
  local stamp_file=$1
  shift
  [[ ! -f $stamp_file || -n $(find "$@" -newer "$stamp_file" -print -quit) ]]
}

# function_names: names, one a line. functions/sdk is for all of them and is none itself.
function_names() {
  local folder
  for folder in "$root"/functions/*/; do
    [[ ! -d $folder || $folder == */sdk/ ]] || basename -- "$folder"
  done
}

# Prints the module nurc is to read for a function. Exits when the folder makes none.
module_of() {
  local folder=$root/functions/$1
  if [[ -x $folder/build ]]; then
    printf '%s\n' "$build/functions/wasm/$1.wasm"
  elif [[ -f $folder/$1.wat ]]; then
    printf '%s\n' "$folder/$1.wat"
  else
    fail "functions/$1 has neither an executable build nor $1.wat" "see functions/README.md"
  fi
}

shared_sources() {
  find "$root/functions" -maxdepth 1 -type f ! -name '*.md'
  find "$root/functions/sdk" -type f ! -name '*.md' 2>/dev/null
}

# Runs the build script of a function whose folder changed.
build_module() {
  local name=$1
  local folder=$root/functions/$name
  local output=$build/functions/wasm/$name.wasm scratch=$build/functions-scratch/$name
  local stamp_file=$build/functions/wasm/$name.stamp
  # What lies in functions/ itself and in functions/sdk/ is shared by all.
  local -a shared
  mapfile -t shared < <(shared_sources)
  if [[ ! -x $folder/build ]] ||
    { [[ -f $output ]] && ! is_newer "$stamp_file" "$folder" "${shared[@]}"; }; then
    return
  fi
  say "building functions/$name"
  mkdir -p -- "$scratch" "$build/functions/wasm"
  touch -- "$stamp_file.new"
  rm -f -- "$output"
  local log=$build/setup/log/function-$name code=0
  mkdir -p -- "${log%/*}"
  (cd -- "$folder" && ./build "$output" "$scratch") >"$log" 2>&1 </dev/null || code=$?
  if ((code == 77)); then
    say "functions/$name is left out: $(tail -n 1 -- "$log")"
    rm -f -- "$output" "$stamp_file.new"
    return
  elif ((code != 0)); then
    tail -n 60 -- "$log" >&2
    fail "functions/$name/build failed" "all of its output: $log"
  fi
  [[ -s $output ]] || fail "functions/$name/build wrote no module to $output"
  mv -- "$stamp_file.new" "$stamp_file"
}

# build_functions PRESET: all of functions/ by the nurc of a preset, into build/functions for
# release and into build/PRESET/functions for others.
build_functions() {
  local preset=$1
  local nurc=$build/$preset/bin/nurc
  local objects=$build/functions
  [[ $preset == release ]] || objects=$build/$preset/functions
  local stamps=$objects/.stamps
  mkdir -p -- "$objects" "$stamps"

  local name module
  local -a names=() changed=() modules=()
  mapfile -t names < <(function_names)
  for name in "${names[@]}"; do
    build_module "$name"
    module=$(module_of "$name") || exit 1
    if [[ ! -f $module ]]; then
      # Left out: what was compiled while its compiler was there goes with it.
      rm -f -- "$objects/$name.so" "$stamps/$name"
    elif [[ ! -f $objects/$name.so ]] || is_newer "$stamps/$name" "$module" "$nurc"; then
      changed+=("$name")
      modules+=("$module")
    fi
  done
  remove_orphans "$objects" "${names[@]}"

  if ((${#changed[@]} > 0)); then
    say "compiling ${changed[*]}"
    local begun=$stamps/.begun
    touch -- "$begun"
    logged "functions-$preset" "$nurc" compile "${modules[@]}" -o "$objects/" || exit 1
    for name in "${changed[@]}"; do
      [[ -f $objects/$name.so ]] || fail "nurc made no $objects/$name.so"
      touch -r "$begun" -- "$stamps/$name"
    done
  fi
}

# Takes back what was compiled from a folder that is gone. Objects put there by hand have no stamp.
remove_orphans() {
  local objects=$1 stamp_file name
  shift
  for stamp_file in "$objects"/.stamps/*; do
    name=${stamp_file##*/}
    if [[ -f $stamp_file && " $* " != *" $name "* ]]; then
      say "removing $name.so: functions/$name is gone"
      rm -f -- "$objects/$name.so" "$stamp_file" "$build/functions/wasm/$name".{wasm,stamp}
    fi
  done
}
