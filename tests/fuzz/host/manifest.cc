// The manifest in an artefact's note: what is accepted says the same when it is written again.
#include "base/manifest.h"

#include "base/check.h"
#include "tests/fuzz/host/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nur;
  const std::string_view json = fuzz::as_text(data, size);
  (void)abi_version_from_json(json);
  const Result<Manifest> manifest = manifest_from_json(json);
  if (!manifest) return 0;
  const Result<Manifest> again = manifest_from_json(to_json(*manifest));
  NUR_CHECK(again.has_value() && *again == *manifest);
  return 0;
}
