#!/usr/bin/env bash
# Names of exports are data: whatever they are, the module compiles, can be called by them, and they
# are in the manifest of the artefact alone.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

injection='*/ int x(void){return 1;} /*'
write_module injecting <<END
(module
  (func \$start_of_c (export "$injection") (param i32) (result i32)
    (i32.add (local.get 0) (i32.const 41))))
END

# Everything that C, the preprocessor, the assembler, ELF, JSON, shells and terminals care about.
# As they are written in a text module.
names=('\22' "'" '\\' '\0a' '\0d\0a' '\00' '??/' '#define main' '%s%n' '$(reboot)' '`id`' '; rm -rf /'
  '../../x' '/etc/passwd' '}' '{' '*/' '/*' '//' 'int' 'main' 'nur_module' 'w2c_m' '_start\00'
  '__attribute__' '\1b[31m' '\7f' '\c2\85' '\e2\80\ae' '\f0\9f\90\84' '-o' '@file' '.globl x'
  '\22,\22a\22:\22' '</script>' 'a b' '' '<' '\\\\' 'é')
{
  echo '(module'
  index=0
  for name in "${names[@]}"; do
    printf '(func (export "%s") (result i32) (i32.const %d))\n' \
      "$name" "$index"
    index=$((index + 1))
  done
  while ((index < 200)); do
    printf '(func (export "*/ %d: } int f%d(void) { return 0; } /*") (result i32) (i32.const %d))\n' \
      "$index" "$index" "$index"
    index=$((index + 1))
  done
  echo ')'
} | write_module many
compile_modules

expect_equal "call by the hostile name" \
  "$("$nurhost" run --invoke "$injection" "$functions/injecting.so" -- 1)" 42
expect_equal "call of the last" \
  "$("$nurhost" run --invoke '*/ 199: } int f199(void) { return 0; } /*' "$functions/many.so")" 199
expect_equal "call of a shell command" "$("$nurhost" run --invoke '; rm -rf /' "$functions/many.so")" 11
expect_equal "call of the nameless" "$("$nurhost" run --invoke '' "$functions/many.so")" 36
expect_equal "call of the umlaut" "$("$nurhost" run --invoke 'é' "$functions/many.so")" 39

expect_equal "defined symbols" \
  "$(nm -D --defined-only "$functions/injecting.so" | awk '{print $NF}')" nur_module
# As it is in the module, and as JSON escapes it.
grep -qaF 'int x(void){return 1;}' "$functions/injecting.so" || fail "the name is not in the manifest"
note=$(readelf --wide --sections "$functions/injecting.so" 2>/dev/null |
  sed -n 's/^ *\[ *[0-9]*\] *\(\.note[^ ]*nur[^ ]*\) .*/\1/p')
expect_match "name of the manifest's section" "$note" '^\.note\.'
objcopy --remove-section "$note" "$functions/injecting.so" "$scratch/without.so" 2>/dev/null
objcopy -O binary --only-section=.text "$functions/injecting.so" "$scratch/text"
[[ -s $scratch/text ]] || fail "the artefact has no text"
for file in "$scratch/text" "$scratch/without.so"; do
  if grep -qaE 'int x\(void\)|start_of_c' "$file" && [[ $file == */text ]]; then
    fail "the name is in the code"
  fi
  if grep -qaF 'int x(void)' "$file"; then fail "the name is outside the manifest: $file"; fi
done

# Terminals are not told what a name says.
"$nurc" inspect "$functions/many.so" >"$scratch/text"
if grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$scratch/text"; then fail "inspect prints control characters"; fi
expect_equal "exports shown" "$(grep -c '^export' "$scratch/text")" 200
serve "$functions"
expect_equal "functions served" "$(functions_served)" 2
expect_answer "200 42" /api/injecting/1
stop_server
