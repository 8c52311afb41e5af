/* Linear memory for generated code. nurc puts an #include of this file into wasm2c's output just
 * before the first use of the macros that it replaces (compiler/generated_c.cc names the places and
 * refuses text that it does not know).
 *
 * A load is one instruction, gs:[index + offset]: the host has pointed the segment gs at linear
 * memory before it entered the guest (nur/abi.h), and an index that is computed modulo 2^32 can be
 * computed in the address itself. What keeps it inside the slot is the reservation of 8 GiB; what
 * makes it trap is the missing page.
 */
#include "nur_instance.h"

#undef MEM_ADDR
#undef MEM_ADDR_MEMOP
#undef MEMCHECK
#undef RANGE_CHECK
#undef LOAD_DATA
#undef DEFINE_LOAD
#undef DEFINE_STORE
#undef FORCE_READ_INT
#undef FORCE_READ_FLOAT

#if NUR_HAS_MEMORY
#define NUR_MEMORY_FIELD offsetof(w2c_m, w2c_M0)
#else
#define NUR_MEMORY_FIELD 0
#endif

#define NUR_INSTANCE_OF(mem) ((void*)((uintptr_t)(mem)-NUR_MEMORY_FIELD))

/* A plain pointer, for the host's functions. */
#define MEM_ADDR(mem, addr, n) \
  ((u8*)((uintptr_t)(mem) + (NUR_MEMORY_DISTANCE - NUR_MEMORY_FIELD) + (u64)(addr)))

#define MEMCHECK(mem, addr, type)
#define NUR_RANGE_CHECK(mem, offset, len)                   \
  do {                                                      \
    if (UNLIKELY((u64)(offset) + (u64)(len) > (mem)->size)) \
      wasm_rt_trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY);          \
  } while (0)
#define RANGE_CHECK NUR_RANGE_CHECK

/* Active data segments are part of the artefact's memory image. */
#define LOAD_DATA(memory, offset, data, bytes) ((void)(memory).size)

/* The value of that type at an address of linear memory, of any alignment. The segment comes first:
 * behind the braces clang takes it for an attribute of the structure, and drops it. */
#define NUR_AT(type, address)                                                                  \
  (((__seg_gs struct __attribute__((packed, may_alias)) { type value; }*)(uintptr_t)(address)) \
       ->value)

/* A load whose value nobody uses must trap all the same. gcc keeps it because it is told that loads
 * may throw (-fnon-call-exceptions, compiler/c_flags.cc), which leaves it free to do
 * everything else with them. For other compilers an empty asm uses the widened value, in the kind
 * of register it is in anyway. */
#if defined(__clang__)
#define FORCE_READ_INT(value) __asm__("" : : "r"(value))
#define FORCE_READ_FLOAT(value) __asm__("" : : "x"(value))
#else
#define FORCE_READ_INT(value)
#define FORCE_READ_FLOAT(value)
#endif

#define DEFINE_LOAD(name, stored, extended, result, force_read)   \
  static inline result name(wasm_rt_memory_t* mem, u64 address) { \
    (void)mem;                                                    \
    const result widened = (extended)NUR_AT(stored, address);     \
    force_read(widened);                                          \
    return widened;                                               \
  }

#define DEFINE_STORE(name, stored, given)                                    \
  static inline void name(wasm_rt_memory_t* mem, u64 address, given value) { \
    (void)mem;                                                               \
    NUR_AT(stored, address) = (stored)value;                                 \
  }

/* Bulk operations run the host's memmove and memset on memory that is known to be there, and are
 * never stopped in the middle: who wants to stop them sets the header's flag. */
static inline void nur_after_bulk(struct nur_instance_header* header) {
  if (UNLIKELY(header->interrupt)) nur_call_host(header + 1, NUR_CALL_INTERRUPTED, NULL);
}

static inline void nur_memory_fill(wasm_rt_memory_t* mem, u32 to, u32 value, u32 bytes) {
  NUR_RANGE_CHECK(mem, to, bytes);
  struct nur_instance_header* header = NUR_HEADER_OF(NUR_INSTANCE_OF(mem));
  NUR_PROBE_STACK();
  header->fill(MEM_ADDR(mem, to, bytes), (int)(value & 0xff), bytes);
  nur_after_bulk(header);
}

static inline void nur_memory_copy(wasm_rt_memory_t* mem, u32 to, u32 from, u32 bytes) {
  NUR_RANGE_CHECK(mem, to, bytes);
  NUR_RANGE_CHECK(mem, from, bytes);
  struct nur_instance_header* header = NUR_HEADER_OF(NUR_INSTANCE_OF(mem));
  NUR_PROBE_STACK();
  header->copy(MEM_ADDR(mem, to, bytes), MEM_ADDR(mem, from, bytes), bytes);
  nur_after_bulk(header);
}

static inline void nur_memory_init(wasm_rt_memory_t* mem, const u8* segment, u32 segment_bytes,
                                   u32 to, u32 from, u32 bytes) {
  if (UNLIKELY((u64)from + bytes > segment_bytes)) wasm_rt_trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY);
  NUR_RANGE_CHECK(mem, to, bytes);
  struct nur_instance_header* header = NUR_HEADER_OF(NUR_INSTANCE_OF(mem));
  NUR_PROBE_STACK();
  header->copy(MEM_ADDR(mem, to, bytes), segment + from, bytes);
  nur_after_bulk(header);
}

static inline u32 nur_grow_memory(wasm_rt_memory_t* mem, u32 pages) {
  union nur_value values[2];
  values[0].i64 = pages;
  nur_call_host(NUR_INSTANCE_OF(mem), NUR_CALL_GROW_MEMORY, values);
  if (values[0].i32 != UINT32_MAX) {
    mem->size = values[1].i64;
    mem->pages = values[1].i64 / NUR_WASM_PAGE_BYTES;
  }
  return values[0].i32;
}
