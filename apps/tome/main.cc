// The command line of tome: parses, runs one command, and maps errors to exit codes.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

#include "advice.h"
#include "commands/command.h"
#include "interrupts.h"
#include "terminal.h"
#include "tome/base/error.h"

namespace tome {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int Fail(std::string_view message, int status) {
  PrintError(message);
  return status;
}

// Checks that all output arrived: a full disk under a redirection is a failure.
int FinishOutput() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return kDone;
  return Fail(fmt::format("standard output: {}", std::strerror(errno)), kFailed);
}

int RunCommand(const CommandContext& context) {
  try {
    context.run();
  } catch (const CLI::Error& error) {
    return Fail(error.what(), kWrongUsage);
  } catch (const Error& error) {
    return Fail(Worded(error), error.code() == Code::kCancelled ? kInterruptedStatus : kFailed);
  } catch (const std::bad_alloc&) {
    return Fail("out of memory; close other programs or split the document", kFailed);
  } catch (const std::system_error& error) {  // of fmt::print
    if (std::ferror(stdout) == 0) return Fail(error.what(), kFailed);
    return Fail(fmt::format("standard output: {}", error.code().message()), kFailed);
  } catch (const std::exception& error) {
    return Fail(fmt::format("internal error: {}", error.what()), kFailed);
  }
  return FinishOutput();
}

// Opens /dev/null for each standard descriptor that the caller closed, so that no file of the
// program takes its number. A closed descriptor stays useless: stdin cannot be read, the others
// cannot be written.
void KeepStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

int Main(int argc, char** argv) {
  KeepStandardDescriptors();
  // Without these, a closed pipe or a file over the size limit would kill the program. It is a
  // failed write instead, reported like any other.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  const Interrupts interrupts;
  CommandContext context{.interrupts = interrupts, .stop = interrupts.stop(), .run = {}};

  CLI::App app("answers questions about very long documents, with citations", "tome");
  app.set_version_flag("--version", "tome " TOME_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Reads PDF, EPUB, DOCX, ODT, HTML, Markdown and text, in Chinese and English, up to ten "
      "million\n"
      "characters and beyond. Without a model the best passages themselves are the answer.\n"
      "Start with: tome ask FILE \"QUESTION\"");
  AddAskCommand(app, context);
  AddBenchCommand(app, context);
  AddChatCommand(app, context);
  AddPlanCommand(app, context);
  AddReadCommand(app, context);
  AddTextCommand(app, context);
  AddLibraryCommand(app, context);
  AddModelCommand(app, context);
  AddGenerateCommand(app, context);
  AddEmbedCommand(app, context);
  AddInspectCommand(app, context);
  AddConvertCommand(app, context);
  AddTokenizeCommand(app, context);
  AddLogitsCommand(app, context);
  AddCompletionsCommand(app, context);
  AddManualCommand(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help and --version
    app.exit(success);
    return FinishOutput();
  } catch (const CLI::ParseError& error) {
    return Fail(fmt::format("{}; see tome --help", error.what()), kWrongUsage);
  }
  return RunCommand(context);
}

}  // namespace
}  // namespace tome

int main(int argc, char** argv) {
  // Commands handle their own errors. An exception that arrives here was thrown while the command
  // line was set up.
  try {
    return tome::Main(argc, argv);
  } catch (...) {
    std::fputs("tome: internal error: the command line cannot be set up\n", stderr);
    return 1;
  }
}
