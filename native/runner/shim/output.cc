#include "runner/shim/output.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "lib/log/timestamp.h"
#include "runner/shim/pipes.h"

namespace edgepod {
namespace {

constexpr size_t kReadSize = 16 * 1024;
constexpr LogStream kStreams[] = {LogStream::Stdout, LogStream::Stderr};

}  // namespace

Result<Ok> Output::open_log(std::string_view path, LogLimits limits) {
  auto log = CriLog::open(path, limits);
  if (!log) return std::move(log.error());
  log_ = std::move(*log);
  return Ok{};
}

Result<Output::Ends> Output::open_pipes() {
  auto out = open_output_pipe();
  if (!out) return std::move(out.error());
  auto err = open_output_pipe();
  if (!err) return std::move(err.error());
  pipes_[0] = std::move(out->read);
  pipes_[1] = std::move(err->read);
  return Ends{std::move(out->write), std::move(err->write)};
}

Result<Ok> Output::watch(Watcher* watcher) {
  EDGEPOD_TRY(pod_.poller.add(pipes_[0].get(), EPOLLIN, watcher));
  return pod_.poller.add(pipes_[1].get(), EPOLLIN, watcher);
}

void Output::read_some(int fd) {
  (void)read_once(fd == pipes_[0].get() ? LogStream::Stdout : LogStream::Stderr);
}

// False when there is nothing to read now, or nothing any more.
bool Output::read_once(LogStream stream) {
  UniqueFd& fd = pipes_[static_cast<int>(stream)];
  if (!fd) return false;
  ssize_t got = read(fd.get(), pod_.buffer, kReadSize);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) {
    end_stream(stream);
    return false;
  }
  log_.write(stream, pod_.buffer, static_cast<size_t>(got), wall_clock());
  return true;
}

void Output::drain() {
  for (LogStream stream : kStreams) {
    // A pipe holds at most 1 MiB (fs.pipe-max-size); more can only come from a writer that lives on.
    for (size_t turns = (1u << 20) / kReadSize; turns > 0 && read_once(stream); turns--) {
    }
  }
}

void Output::end_stream(LogStream stream) {
  UniqueFd& fd = pipes_[static_cast<int>(stream)];
  if (!fd) return;
  log_.finish(stream, wall_clock());
  pod_.poller.remove(fd.get());
  fd.reset();
}

void Output::end() {
  for (LogStream stream : kStreams) end_stream(stream);
}

void Output::discard() {
  for (UniqueFd& pipe : pipes_) {
    if (pipe) pod_.poller.remove(pipe.get());
    pipe.reset();
  }
  log_.file().discard_if_empty();
}

void Output::close() {
  end();
  log_ = CriLog();
}

}  // namespace edgepod
