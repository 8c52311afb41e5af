/* The binary interface between an artefact and its host (docs/artefact.md).
 *
 * One instance of a module lives in one slot of address space:
 *
 *   area                          area + instance_bytes                 + 8 GiB
 *     | header | globals, tables |  linear memory ...  | no access ...  |
 *
 * Generated code is handed the address of its globals (area + sizeof header). Whenever it runs, the
 * base of the segment gs is the address of linear memory, so a load is gs:[index + offset] and
 * nothing else: no base pointer to fetch, no bounds to compare. A 32-bit index plus a 32-bit offset
 * stays below 8 GiB, all of which belongs to the slot, so a stray access faults inside it. Bulk
 * operations hand plain pointers to the host, at a distance from the instance that the C compiler
 * knows.
 *
 * An artefact exports one symbol, `nur_module`, and imports none. It reaches its host only through
 * the pointers that the host puts into each instance's header.
 *
 * Plain C11 and C++; shared by generated code, runtime and host. A change of anything here is a
 * new NUR_ABI_VERSION.
 */
#ifndef NUR_ABI_H_
#define NUR_ABI_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NUR_ABI_VERSION 2u

#define NUR_WASM_PAGE_BYTES 65536u
/* What a 32-bit index plus a 32-bit static offset and the widest access can reach. */
#define NUR_ADDRESSABLE_BYTES ((UINT64_C(1) << 33) + 65536)
/* No table grows beyond this; an entry takes 32 bytes (funcref) or 8 (externref). */
#define NUR_TABLE_ENTRIES_MAX 65536u

/* One parameter or result. Small integers are zero-extended. */
union nur_value {
  uint32_t i32;
  uint64_t i64;
  float f32;
  double f64;
  void* reference;
  uint8_t v128[16];
};

/* Why a guest was stopped. The texts are those of assert_trap in the spec's tests. */
enum nur_trap {
  NUR_TRAP_NONE = 0,
  NUR_TRAP_OUT_OF_BOUNDS_MEMORY = 1,
  NUR_TRAP_OUT_OF_BOUNDS_TABLE = 2,
  NUR_TRAP_INTEGER_OVERFLOW = 3,
  NUR_TRAP_DIVIDE_BY_ZERO = 4,
  NUR_TRAP_INVALID_CONVERSION = 5,
  NUR_TRAP_UNREACHABLE = 6,
  NUR_TRAP_INDIRECT_CALL = 7, /* null, out of range or of another type */
  NUR_TRAP_STACK_OVERFLOW = 8,
  NUR_TRAP_HOST = 9, /* a host call was given something it must not accept */
  NUR_TRAP_COUNT
};

/* Generated code traps with the instruction `ud1l reason(%eax), %eax`: 67 0f b9 40 <reason>. It
 * costs nothing until it runs, and the faulting program counter names the function. */
#define NUR_TRAP_INSTRUCTION_BYTES 5

struct nur_instance_header;

/* Number of import or one of NUR_CALL_*: what generated code wants from its host. */
#define NUR_CALL_GROW_MEMORY \
  0x80000000u /* values[0].i32 pages -> [0].i32 old pages or -1, [1].i64 bytes */
#define NUR_CALL_INTERRUPTED 0x80000001u /* nothing; the host asked to be called */

/* Leaves the guest's stack for the host's, and comes back when the host has done `call`. The values
 * are parameters on the way in and results on the way out. */
typedef void (*nur_host_call)(struct nur_instance_header* instance, uint32_t call,
                              union nur_value* values);

/* The first bytes of a slot's instance area. Written by the host, read by generated code. */
struct nur_instance_header {
  nur_host_call call;
  void* (*copy)(void* to, const void* from, size_t bytes); /* memmove */
  void* (*fill)(void* to, int byte, size_t bytes);         /* memset */
  /* Non-zero: call NUR_CALL_INTERRUPTED after the bulk operation under way. */
  volatile uint32_t interrupt;
  uint32_t tables_used; /* offset in the area of the next table's storage, while initialising */
  void* host;           /* the host's own */
  uint64_t reserved[3];
};

/* A run of bytes of the initial linear memory; all the others are zero. Both addresses and the
 * length are multiples of 4,096. */
struct nur_image_run {
  uint64_t memory_offset;
  uint64_t bytes;
  const uint8_t* data; /* in a read-only segment, page-aligned in the file too */
};

/* An exported function: reads its parameters from `values` and puts its results there. */
typedef void (*nur_export_call)(struct nur_instance_header* instance, union nur_value* values);

struct nur_module {
  uint32_t abi_version;
  uint32_t instance_bytes; /* of the instance area, a multiple of 4,096 */
  uint32_t export_count;
  uint32_t image_run_count;
  const nur_export_call* exports; /* in the manifest's order of entries */
  const struct nur_image_run* image_runs;
  /* Sets globals and tables. Runs no code of the guest and cannot trap; header and linear memory
   * are in place before. Called again for every new instance in the slot. */
  void (*initialize)(struct nur_instance_header* instance);
  /* The module's start function, or NULL. Guest code. */
  nur_export_call start;
};

extern const struct nur_module nur_module;

#ifdef __cplusplus
}
#endif

#endif /* NUR_ABI_H_ */
