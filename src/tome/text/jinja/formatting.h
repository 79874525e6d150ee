// Formatting of texts: Python's "…" % values and "…".format(values).
#pragma once

#include "tome/text/jinja/arguments.h"
#include "tome/text/jinja/heap.h"
#include "tome/text/jinja/value.h"

namespace tome::jinja {

// format % values: %s %r %d %i %f %e %g %x %X %o %c %%, with flags, width, precision and
// %(key)s. `values` is a tuple, a dict, or one value. The values' parts keep their origins; numbers
// have the origin of the number.
MarkedText PercentFormat(Heap& heap, const MarkedText& format, const Value& values);

// format.format(…): {} {0} {name}, !s and !r, and the specifications [[fill]align][0][width]
// [.precision][d|f|s]. Other specifications and attribute access inside braces throw kUnsupported.
MarkedText BraceFormat(Heap& heap, const MarkedText& format, const Arguments& values);

}  // namespace tome::jinja
