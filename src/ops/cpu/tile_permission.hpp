#pragma once

namespace diffuse::cpu {

/// Whether the processor multiplies tiles of bf16 numbers (AMX), and the system lets this process
/// have them: Linux gives their registers, 8 KiB a thread, to those alone that ask.
bool may_use_tiles();

}  // namespace diffuse::cpu
