// Counts of what a function did while it ran, for the C compiler (docs/profile.md).
//
// An artefact made by `nurc compile --profile-generate` counts in its own writable data. A section
// that no segment loads (.nur.profile) says where the counters lie and whose they are:
//
//   "nur-counters-v1" NUL | u64 address, u64 bytes | whose they are (ProfileTable)
//
// The host reads the first 32 bytes and copies that part of memory behind the section, into a file:
//
//   "nur-profile-v1" NUL NUL | u64 bytes of the section | the section | the counters | SHA-256
//
// `nurc compile --profile-use` reads the rest. All integers are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/artefact_file.h"
#include "base/result.h"

namespace nur {

inline constexpr char kProfileSection[] = ".nur.profile";
inline constexpr std::size_t kCounterBytesMax = std::size_t{256} << 20;
inline constexpr std::size_t kProfileBytesMax = std::size_t{512} << 20;

// Where the counters lie, relative to the load base; whole 64-bit words.
struct CounterRegion {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

// As gcc tells them apart, with the place of its first counter among all.
struct ProfiledFunction {
  std::uint32_t ident = 0;
  std::uint32_t line_checksum = 0;
  std::uint32_t cfg_checksum = 0;
  std::uint32_t counters = 0;
  std::uint32_t first_counter = 0;
  bool operator==(const ProfiledFunction&) const = default;
};

struct ProfiledUnit {
  std::string source;  // "m0.c"
  Sha256 digest{};     // of its text
  std::uint32_t format = 0;
  std::uint32_t checksum = 0;
  std::vector<ProfiledFunction> functions;
  bool operator==(const ProfiledUnit&) const = default;
};

struct ProfileTable {
  CounterRegion region;
  std::string wasm_sha256;
  std::string compiler;
  std::string flags;  // without those that make it count
  std::vector<ProfiledUnit> units;
};

struct Profile {
  ProfileTable table;
  std::vector<std::uint64_t> counters;  // every function's lie inside
};

// The contents of the section.
std::string encode_profile_table(const ProfileTable& table);

// What the host needs of the section. Errors: invalid_input.
Result<CounterRegion> counter_region(std::string_view section);

// The file.
std::string encode_profile(std::string_view section, std::string_view counters);

// Errors: invalid_input for a file that is no profile, cut short, changed, or does not agree with
// itself.
Result<Profile> read_profile(std::string_view file);

}  // namespace nur
