// Profile-guided optimisation with gcc: what an instrumented object counts, as the table of
// .nur.profile, and profiles back into the files that gcc reads (docs/profile.md).
//
// With -fprofile-info-section gcc leaves a list of pointers to its records (struct gcov_info, one a
// unit) and neither constructors nor calls of libgcov. The linked object is read here for where the
// counters are; at run time nobody looks at the records.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/profile.h"
#include "base/result.h"
#include "compiler/c_flags.h"
#include "compiler/translate.h"

namespace nur {

// The section that gcc puts the list into, and what the driver writes before names of its files.
inline constexpr char kGcovSection[] = "nur_gcov";
inline constexpr char kGcovFolder[] = "/nur/";

// What makes a unit count, and what makes use of its counts. Empty for ProfileMode::none.
std::vector<std::string> profile_flags(ProfileMode mode);

// What decides whether a profile fits a module that is compiled now.
struct ProfileIdentity {
  std::string wasm_sha256;
  std::string compiler;
  std::string flags;
};

// `linked` is an object of units compiled with profile_flags(generate); the units' texts are in
// `sources.folder`. Errors: invalid_input for a compiler older than g++ 12; limit_exceeded;
// internal when the records are not what gcc writes.
Result<ProfileTable> profile_table(std::string_view linked, const ProfileIdentity& identity,
                                   const CSources& sources);

// Reads `files` and adds up their counts. Errors: invalid_input for a file that is no profile, or
// that does not fit `identity` or the other files; those of read_file.
Result<Profile> read_profiles(const std::vector<Path>& files, const ProfileIdentity& identity);

// SHA-256 of what it counted, in hex, for the manifest.
std::string digest_of(const Profile& profile);

// Writes m0.gcda for m0.c and so on, into the folder of `sources`.
// Errors: invalid_input when the units are not those that counted.
Result<void> write_gcda_files(const Profile& profile, const CSources& sources);

// "m0.gcda" of "m0.c".
std::string gcda_of(const std::string& source);

}  // namespace nur
