//! The heap of a crate without std: blocks of powers of two, kept by size when they are given back.
//! An instance lives for one request, so nothing is ever joined or returned to the host.
//!
//! ```text
//!   __heap_base    next          end of memory
//!     |--- blocks ---|--- unused ---|
//! ```

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::UnsafeCell;

extern "C" {
    /// Set by the linker: the first byte behind data and stack.
    static __heap_base: u8;
}

const PAGE_BYTES: usize = 65536;

/// Every block is aligned to this and at least as large.
const BLOCK_BYTES_MIN: usize = 16;

struct Heap {
    /// Where unused memory begins; 0 before the first call.
    next: usize,
    /// By the logarithm of their size: a block that was given back; it holds the next one's address.
    free: [usize; 32],
}

struct Allocator(UnsafeCell<Heap>);
// A guest has one thread.
unsafe impl Sync for Allocator {}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator(UnsafeCell::new(Heap {
    next: 0,
    free: [0; 32],
}));

/// None: more than an address can say.
fn size_class(layout: Layout) -> Option<usize> {
    let bytes = layout.size().max(layout.align()).max(BLOCK_BYTES_MIN);
    let class = bytes.checked_next_power_of_two()?.trailing_zeros() as usize;
    Some(class)
}

unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let heap = &mut *self.0.get();
        let Some(class) = size_class(layout) else {
            return core::ptr::null_mut();
        };
        let kept = heap.free[class];
        if kept != 0 {
            heap.free[class] = *(kept as *const usize);
            return kept as *mut u8;
        }
        if heap.next == 0 {
            heap.next = core::ptr::addr_of!(__heap_base) as usize;
        }
        let align = layout.align().max(BLOCK_BYTES_MIN);
        let Some(start) = heap.next.checked_next_multiple_of(align) else {
            return core::ptr::null_mut();
        };
        let Some(end) = start.checked_add(1 << class) else {
            return core::ptr::null_mut();
        };
        let (pages, have) = (end.div_ceil(PAGE_BYTES), memory_size(0));
        if pages > have && memory_grow(0, pages - have) == usize::MAX {
            return core::ptr::null_mut();
        }
        heap.next = end;
        start as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let heap = &mut *self.0.get();
        if let Some(class) = size_class(layout) {
            *block.cast::<usize>() = heap.free[class];
            heap.free[class] = block as usize;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let wanted = Layout::from_size_align_unchecked(size, layout.align());
        if size_class(wanted) == size_class(layout) {
            return block;
        }
        let new = self.alloc(wanted);
        if !new.is_null() {
            core::ptr::copy_nonoverlapping(block, new, layout.size().min(size));
            self.dealloc(block, layout);
        }
        new
    }
}
