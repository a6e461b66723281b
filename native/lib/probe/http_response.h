// Reads an HTTP/1.x response from a stream of bytes, whatever they are, with bounded memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace edgepod {

class HttpResponse {
 public:
  enum class State {
    kHead,      // status line and headers not yet complete
    kBody,      // head known; more body to come
    kComplete,  // body ended, or as much of it read as anyone wants
    kBroken,    // not HTTP, or a head beyond every reason: see problem()
  };

  State receive(std::string_view bytes);
  State ended();  // the connection was closed

  int status() const { return status_; }
  const std::string& location() const { return location_; }
  const char* problem() const { return problem_; }

 private:
  enum class Part {
    kStatusLine,
    kHeader,
    kSizedBody,
    kBodyToEnd,
    kChunkSize,
    kChunkData,
    kChunkEnd,
    kTrailer
  };

  bool line(std::string_view text);
  bool status_line(std::string_view text);
  bool header(std::string_view text);
  bool head_done();
  bool chunk_size(std::string_view text);
  bool break_with(const char* problem);
  size_t body(std::string_view bytes);

  State state_ = State::kHead;
  Part part_ = Part::kStatusLine;
  std::string line_;
  size_t head_size_ = 0;
  size_t body_size_ = 0;
  uint64_t left_ = 0;  // of the body, or of the chunk
  bool sized_ = false;
  bool chunked_ = false;
  int status_ = 0;
  int interim_ = 0;
  std::string location_;
  const char* problem_ = "";
};

}  // namespace edgepod
