// Formatting of texts: Python's "…" % values and "…".format(values).
#pragma once

#include "tome/text/jinja/arguments.h"
#include "tome/text/jinja/heap.h"
#include "tome/text/jinja/value.h"

namespace tome::jinja {

// Evaluates format % values: %s %r %d %i %f %e %g %x %X %o %c %%, with flags, width, precision and
// %(key)s. `values` is a tuple, a dict, or one value. Texts keep the origin of each part; a
// formatted number has the origin of the number.
MarkedText PercentFormat(Heap& heap, const MarkedText& format, const Value& values);

// Evaluates format.format(…): {} {0} {name}, !s and !r, and specifications of the form
// [[fill]align][0][width][.precision][d|f|s]
// Throws Error(kUnsupported) for other specifications and for attribute access inside braces.
MarkedText BraceFormat(Heap& heap, const MarkedText& format, const Arguments& values);

}  // namespace tome::jinja
