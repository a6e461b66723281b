#include "lib/probe/http_response.h"

#include <strings.h>

#include <algorithm>
#include <cstring>

namespace edgepod {

namespace {

constexpr size_t kLineMax = 8 * 1024;
constexpr size_t kHeadMax = 32 * 1024;
constexpr size_t kBodyMax = 10 * 1024;  // as the kubelet: nobody looks at more
constexpr int kInterimMax = 8;          // "100 Continue" and the like

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same(std::string_view text, const char* name) {
  return text.size() == strlen(name) && strncasecmp(text.data(), name, text.size()) == 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool HttpResponse::break_with(const char* problem) {
  state_ = State::kBroken;
  problem_ = problem;
  return false;
}

bool HttpResponse::status_line(std::string_view text) {
  // HTTP/1.1 200 OK
  bool const fits = text.size() >= 12 && text.starts_with("HTTP/1.") && is_digit(text[7]) && text[8] == ' ' &&
                    is_digit(text[9]) && is_digit(text[10]) && is_digit(text[11]) &&
                    (text.size() == 12 || text[12] == ' ');
  if (!fits) return break_with("the answer is not HTTP");
  status_ = (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
  if (status_ < 100) return break_with("the answer is not HTTP");
  part_ = Part::kHeader;
  return true;
}

bool HttpResponse::header(std::string_view text) {
  size_t const colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return break_with("malformed HTTP header");
  std::string_view const name = text.substr(0, colon);
  std::string_view const value = trimmed(text.substr(colon + 1));
  if (same(name, "Location")) {
    if (location_.empty()) location_ = value;
  } else if (same(name, "Transfer-Encoding")) {
    chunked_ = value.size() >= 7 && same(value.substr(value.size() - 7), "chunked");
  } else if (same(name, "Content-Length")) {
    if (value.empty() || value.size() > 18 || !std::all_of(value.begin(), value.end(), is_digit))
      return break_with("malformed Content-Length");
    uint64_t length = 0;
    for (char const c : value) length = length * 10 + static_cast<uint64_t>(c - '0');
    if (sized_ && length != left_) return break_with("two different Content-Length");
    left_ = length;
    sized_ = true;
  }
  return true;
}

bool HttpResponse::head_done() {
  if (status_ < 200 && status_ != 101) {  // interim: the real one follows
    if (++interim_ > kInterimMax) return break_with("endless interim answers");
    part_ = Part::kStatusLine;
    sized_ = chunked_ = false;
    left_ = 0;
    location_.clear();
    return true;
  }
  state_ = State::kBody;
  if (chunked_) {
    part_ = Part::kChunkSize;
  } else if (status_ == 101 || status_ == 204 || status_ == 304 || (sized_ && left_ == 0)) {
    state_ = State::kComplete;
  } else {
    part_ = sized_ ? Part::kSizedBody : Part::kBodyToEnd;
  }
  return state_ != State::kComplete;
}

bool HttpResponse::chunk_size(std::string_view text) {
  text = trimmed(text.substr(0, text.find(';')));
  if (text.empty() || text.size() > 15) return break_with("malformed chunk");
  left_ = 0;
  for (char const c : text) {
    int const digit = is_digit(c) ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (digit < 0) return break_with("malformed chunk");
    left_ = left_ * 16 + static_cast<uint64_t>(digit);
  }
  part_ = left_ == 0 ? Part::kTrailer : Part::kChunkData;
  return true;
}

// False when there is nothing more to read.
bool HttpResponse::line(std::string_view text) {
  switch (part_) {
    case Part::kStatusLine:
      return status_line(text);
    case Part::kHeader:
      return text.empty() ? head_done() : header(text);
    case Part::kChunkSize:
      return chunk_size(text);
    case Part::kChunkEnd:
      if (!text.empty()) return break_with("malformed chunk");
      part_ = Part::kChunkSize;
      return true;
    case Part::kTrailer:
      if (text.empty()) state_ = State::kComplete;
      return !text.empty();
    default:
      return break_with("malformed answer");
  }
}

// Bytes of the body at the start of `bytes`.
size_t HttpResponse::body(std::string_view bytes) {
  size_t const size =
      part_ == Part::kBodyToEnd ? bytes.size() : static_cast<size_t>(std::min<uint64_t>(bytes.size(), left_));
  body_size_ += size;
  if (part_ != Part::kBodyToEnd) {
    left_ -= size;
    if (left_ == 0) {
      if (part_ == Part::kSizedBody) state_ = State::kComplete;
      part_ = Part::kChunkEnd;
    }
  }
  if (body_size_ >= kBodyMax) state_ = State::kComplete;
  return size;
}

HttpResponse::State HttpResponse::receive(std::string_view bytes) {
  while (!bytes.empty() && (state_ == State::kHead || state_ == State::kBody)) {
    if (part_ == Part::kSizedBody || part_ == Part::kBodyToEnd || part_ == Part::kChunkData) {
      bytes.remove_prefix(body(bytes));
      continue;
    }
    size_t const end = bytes.find('\n');
    size_t const size = end == std::string_view::npos ? bytes.size() : end + 1;
    // Chunk lines and trailers count too: they could go on for ever as well.
    head_size_ += size;
    if (head_size_ > kHeadMax || line_.size() + size > kLineMax) {
      break_with("HTTP headers over 32 KiB, or a line over 8 KiB");
      break;
    }
    line_ += bytes.substr(0, size);
    bytes.remove_prefix(size);
    if (end == std::string_view::npos) break;
    line_.pop_back();
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    std::string const text = std::move(line_);
    line_.clear();
    if (!line(text)) break;
  }
  return state_;
}

HttpResponse::State HttpResponse::ended() {
  if (state_ == State::kBody && part_ == Part::kBodyToEnd) {
    state_ = State::kComplete;
  } else if (state_ == State::kHead || state_ == State::kBody) {
    break_with(head_size_ == 0 ? "EOF" : "unexpected EOF");
  }
  return state_;
}

}  // namespace edgepod
