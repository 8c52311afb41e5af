/* Indirect calls for generated code. nurc puts an #include of this file into wasm2c's output, and
 * writes nur_types.h, which numbers the module's function types: equal types have one number, and
 * none has 0, which is the type of a null reference. So one compare, against a constant, tells that
 * an entry is there and has the type that the caller expects, in every unit of a module.
 *
 * Whatever a table holds is called with the caller's instance: no artefact knows of another, and
 * host functions are called with the instance too (nur_instance.h).
 */
#ifndef NUR_CALLS_H_
#define NUR_CALLS_H_

#define NUR_FUNCTION_TYPE(number) ((wasm_rt_func_type_t)(uintptr_t)(number))
#include "nur_types.h"

#undef CHECK_CALL_INDIRECT
#undef DO_CALL_INDIRECT
#undef CALL_INDIRECT

#define CALL_INDIRECT(table, signature, type, index, callee, ...)                      \
  ((void)(LIKELY((index) < (table).size && (table).data[index].func_type == (type)) || \
          TRAP(CALL_INDIRECT)),                                                        \
   ((signature)(table).data[index].func)(instance, ##__VA_ARGS__))

#endif /* NUR_CALLS_H_ */
