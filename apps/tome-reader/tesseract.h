// These functions run the program `tesseract` as a child process, without a shell.
#pragma once

#include <string>
#include <string_view>

#include "tome/base/progress.h"

namespace tome {

// Returns the installed ones of the languages that Tome reads, in the form of tesseract's -l
// ("eng+chi_sim"). Throws Error(kUnavailable), which says what to install, if tesseract or all of
// these languages are missing.
std::string TesseractLanguages(const WorkControl& control);

// Recognises an image file (PNM, PNG) of this resolution and returns tesseract's TSV. On a stop
// request, kills the program and throws Error(kCancelled). Throws Error(kIo) if the program fails.
std::string RunTesseract(std::string_view image, int dpi, std::string_view languages,
                         const WorkControl& control);

}  // namespace tome
