// The profile of one run, written whatever ends it: the function's return, a trap, its deadline, or
// a signal.
#pragma once

#include <memory>

#include "base/file.h"
#include "base/result.h"
#include "host/serve/function.h"

namespace nur {

class ProfileAtEnd {
 public:
  // From here on a thread of its own waits for SIGTERM and SIGINT, and at one writes the profile
  // and ends the process as the signal would (128 and its number). `function` must outlive the
  // result. Errors: invalid_input when it counts nothing.
  static Result<ProfileAtEnd> begin(const Function& function, const Path& file);
  ~ProfileAtEnd();
  ProfileAtEnd(ProfileAtEnd&&) noexcept;
  ProfileAtEnd& operator=(ProfileAtEnd&&) = delete;

  // Ends the thread. Errors: those of publish_file.
  Result<void> write();

 private:
  struct Watch;
  explicit ProfileAtEnd(std::unique_ptr<Watch> watch);
  std::unique_ptr<Watch> watch_;
};

}  // namespace nur
