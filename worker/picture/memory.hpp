#pragma once

namespace eole::picture {

/// Has the first of the heap in large pages, where the kernel gives them to those who ask: a tenth
/// of the time of a picture goes into making its memory page by page.
void use_large_pages();

}  // namespace eole::picture
