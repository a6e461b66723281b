// What a container writes: its standard output and error, each a pipe that is read into the log.
#pragma once

#include <string_view>

#include "lib/fd.h"
#include "lib/log/cri_log.h"
#include "lib/result.h"
#include "runner/shim/pod_context.h"

namespace edgepod {

class Output {
 public:
  explicit Output(PodContext& pod) : pod_(pod) {}
  ~Output() { end(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Errors are those of LogFile::open.
  Result<Ok> open_log(std::string_view path, LogLimits limits);

  // The container's ends of the pipes.
  struct Ends {
    UniqueFd out;
    UniqueFd err;
  };
  Result<Ends> open_pipes();

  // From now on `watcher` hears of what can be read. It is to answer with read_some().
  Result<Ok> watch(Watcher* watcher);

  // Logs what `fd` has, in one read: see Poller about fairness.
  void read_some(int fd);
  // Logs all that was written and not read yet.
  void drain();
  // Nothing will come any more: every writer has closed its end.
  bool ended() const { return !pipes_[0] && !pipes_[1]; }
  // Reads no more of either stream; what has been read is in the log.
  void end();

  // Nothing was started: no pipe is left, and no log that was not there before.
  void discard();
  // Ends, and closes the log file.
  void close();

 private:
  bool read_once(LogStream stream);
  void end_stream(LogStream stream);

  PodContext& pod_;
  CriLog log_;
  UniqueFd pipes_[2];  // by LogStream; our ends
};

}  // namespace edgepod
