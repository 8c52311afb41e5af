/* Where things are in an instance, as constants. Included behind the header that wasm2c made for
 * the module (it needs sizeof(w2c_m)) and nur_config.h, which nurc writes:
 *
 *   NUR_HAS_MEMORY     1 when the module has a linear memory
 *   NUR_TABLE_BYTES    room for all of its tables at their capacity
 *
 *   header | w2c_m | tables ... | (to a page) | linear memory
 *          ^ instance                         ^ instance + NUR_MEMORY_DISTANCE
 */
#ifndef NUR_INSTANCE_H_
#define NUR_INSTANCE_H_

#include <stddef.h>
#include <stdint.h>

#include "nur/abi.h"
#include "nur_config.h"

#define NUR_ROUND_UP(bytes, to) (((bytes) + ((to)-1)) / (to) * (to))

#define NUR_TABLES_OFFSET NUR_ROUND_UP(sizeof(struct nur_instance_header) + sizeof(w2c_m), 64)
#define NUR_INSTANCE_BYTES NUR_ROUND_UP(NUR_TABLES_OFFSET + NUR_TABLE_BYTES, 4096)
#define NUR_MEMORY_DISTANCE (NUR_INSTANCE_BYTES - sizeof(struct nur_instance_header))

#define NUR_HEADER_OF(instance) ((struct nur_instance_header*)(void*)(instance)-1)

/* Host functions need a little of the guest's stack before they leave it. Touching it here makes an
 * overflow fault in the guest's code, where it is the guest's. */
#define NUR_PROBE_STACK() __asm__ volatile("orq $0, -4096(%%rsp)" : : : "memory", "cc")

static inline void nur_call_host(void* instance, uint32_t call, union nur_value* values) {
  struct nur_instance_header* header = NUR_HEADER_OF(instance);
  NUR_PROBE_STACK();
  header->call(header, call, values);
}

#endif /* NUR_INSTANCE_H_ */
