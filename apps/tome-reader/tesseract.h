// The program `tesseract`, run as a child process without a shell.
#pragma once

#include <string>
#include <string_view>

#include "tome/base/progress.h"

namespace tome {

// The installed ones of the languages that Tome reads, as tesseract's -l takes them
// ("eng+chi_sim"). Throws Error(kUnavailable), which says what to install, if tesseract or all of
// them are missing.
std::string TesseractLanguages(const WorkControl& control);

// Recognises an image file (PNM, PNG) of this resolution. Gives tesseract's TSV. Kills the program
// and throws Error(kCancelled) on a stop request; Error(kIo) if it fails.
std::string RunTesseract(std::string_view image, int dpi, std::string_view languages,
                         const WorkControl& control);

}  // namespace tome
