#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/clock.h"
#include "relay/status.h"

namespace relay {

// The files of one writer in an archive folder: dead-letters-YYYY-MM-DD.<writer>.jsonl.gz, one a
// day (UTC), readable by owner and group. Writers share a folder, because no two have the same
// name.
//
// What is appended is one whole gzip member (RFC 1952), which programs for gzip read one after the
// other as one text. So a member that a power cut has torn, which can only be the last one, spoils
// nothing before it; and because a writer's name is new at each start of a program, nothing is ever
// written behind it.
//
// Every call blocks on the disk. One thread at a time.
class ArchiveFile {
 public:
  // `folder` is an absolute path, `writer` a part of a file's name.
  ArchiveFile(std::string folder, std::string writer);
  ArchiveFile(const ArchiveFile&) = delete;
  ArchiveFile& operator=(const ArchiveFile&) = delete;
  ~ArchiveFile();

  // Makes the folder, but not the folders above it, unless it has been there before: one that has
  // gone, as with a disk that is not mounted any more, must not be replaced on another disk.
  // Non-OK where nothing could be written there.
  Status Prepare();

  // Appends `lines` to the file of the day that it is `now`. OK: file, directory entry and lines
  // outlive a power cut. Otherwise the file has nothing of `lines`, unless the text says that what
  // was written could not be cut off again; the next call does that before it writes.
  Status Append(std::string_view lines, WallTime now);

 private:
  Status OpenFor(WallTime now);
  bool StandsInFolder() const;
  Status WriteWhole(std::string_view bytes);
  Status CutBack(Status why);
  Status Failed(const char* what) const;
  void Close();

  const std::string folder_;
  const std::string writer_;
  bool folder_seen_ = false;
  int fd_ = -1;
  std::string path_;    // Of the file that is or was open last.
  int64_t length_ = 0;  // Of what is safe in it.
};

}  // namespace relay
