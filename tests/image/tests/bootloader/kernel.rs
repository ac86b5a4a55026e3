//! A kernel that says its command line on the serial port and ends the machine: all that the boot
//! loader can be asked about, in a thousandth of a real one's time.

/// Where the fields of the boot protocol stand (Documentation/arch/x86/boot.rst of Linux).
const SETUP_SECTORS: usize = 0x1F1;
const BOOT_FLAG: usize = 0x1FE;
const JUMP: usize = 0x200;
const MAGIC: usize = 0x202;
const VERSION: usize = 0x206;
const LOAD_FLAGS: usize = 0x211;
const CODE32_START: usize = 0x214;
const ALIGNMENT: usize = 0x230;
const RELOCATABLE: usize = 0x234;
const COMMAND_LINE_SIZE: usize = 0x238;
const PREFERRED_ADDRESS: usize = 0x258;
const INIT_SIZE: usize = 0x260;

/// What QEMU ends with where the kernel was reached: (1 << 1) | 1.
pub const REACHED: i32 = 3;

/// 32 bits, flat, `esi` at the boot parameters; 0xF4 is QEMU's `isa-debug-exit`.
const CODE: &[u8] = &[
    0xBA, 0xF8, 0x03, 0x00, 0x00, // mov edx, 0x3F8
    0x8B, 0xB6, 0x28, 0x02, 0x00, 0x00, // mov esi, [esi + cmd_line_ptr]
    0xAC, // next: lodsb
    0x84, 0xC0, // test al, al
    0x74, 0x03, // jz end
    0xEE, // out dx, al
    0xEB, 0xF8, // jmp next
    0xB0, 0x0A, 0xEE, // end: mov al, '\n'; out dx, al
    0xBA, 0xF4, 0x00, 0x00, 0x00, // mov edx, 0xF4
    0xB0, 0x01, 0xEE, // mov al, 1; out dx, al
    0xEB, 0xFE, // jmp $
];

/// The kernel as a file.
pub fn image() -> Vec<u8> {
    let mut bytes = vec![0; 1024];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(SETUP_SECTORS, &[1]);
    put(BOOT_FLAG, &[0x55, 0xAA]);
    put(JUMP, &[0xEB, 0x66]);
    put(MAGIC, b"HdrS");
    put(VERSION, &0x020C_u16.to_le_bytes());
    put(LOAD_FLAGS, &[1]);
    put(CODE32_START, &0x10_0000_u32.to_le_bytes());
    put(ALIGNMENT, &0x1000_u32.to_le_bytes());
    put(RELOCATABLE, &[1, 12]);
    put(COMMAND_LINE_SIZE, &2047_u32.to_le_bytes());
    put(PREFERRED_ADDRESS, &0x10_0000_u64.to_le_bytes());
    put(INIT_SIZE, &0x1_0000_u32.to_le_bytes());
    bytes.extend_from_slice(CODE);
    bytes.resize(4096, 0);
    bytes
}
