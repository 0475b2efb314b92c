#include "tests/chaos/disk/disk_control.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <utility>

namespace relay {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kSector = 512;

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

uint64_t InodeOf(const std::string& path) {
  struct stat found;
  return lstat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

std::string FolderOf(const std::string& name) {
  return name.substr(0, name.rfind('/'));
}

int64_t ToNumber(const std::string& text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Of the bytes from `durable` on: nothing has reached the disk, or all, or any sectors of a part.
void TearUnsynced(std::string& bytes, size_t durable, Random& random) {
  const uint64_t fate = random.Below(4);
  if (fate == 0) return bytes.resize(durable);
  if (fate == 1) return;
  bytes.resize(durable + random.Below(bytes.size() - durable + 1));
  if (fate == 2) return;
  for (auto at = static_cast<int64_t>(durable); at < static_cast<int64_t>(bytes.size());) {
    // Sectors lie at their multiples; the first one may be durable in part.
    const int64_t end =
        std::min<int64_t>((at / kSector + 1) * kSector, static_cast<int64_t>(bytes.size()));
    if (random.Below(2) == 0) {
      std::fill(bytes.begin() + at, bytes.begin() + end, '\0');
    }
    at = end;
  }
}

// A record of the journal; see disk_state.h.
struct Operation {
  int64_t number = 0;
  char kind = ' ';
  std::vector<std::string> words;  // Behind the kind.

  const std::string& name() const { return words.at(0); }
  // The name that it makes or removes: whose folder makes it durable.
  const std::string& target() const { return kind == 'R' ? words.at(1) : name(); }
};

// What the folder may look like after one power cut.
class PowerCut {
 public:
  PowerCut(const std::string& root, const std::string& state, disk::Table& table, Random& random)
      : root_(root), state_(state), table_(table), random_(random) {}

  Status Run();
  const DiskControl::Cut& cut() const { return cut_; }

 private:
  Status ReadJournal();
  void FindHolders();
  // The operations on names that no sync of their folder has made durable.
  std::vector<Operation> Loose() const;
  void Undo(const Operation& operation);
  void Redo(const Operation& operation);
  std::string ContentOf(uint64_t inode, const std::string& holder);
  void PutBackOldBytes(uint64_t inode, int64_t synced_at, std::string& bytes);
  Status Rewrite();
  std::string KeptPath(int64_t number) const {
    return state_ + disk::kKeptFolder + "/" + std::to_string(number);
  }

  const std::string& root_;
  const std::string& state_;
  disk::Table& table_;
  Random& random_;
  std::vector<Operation> journal_;
  std::map<std::string, uint64_t> names_;     // What the folder shows, by inode.
  std::map<uint64_t, std::string> holders_;   // A path to each inode that is left.
  std::map<int64_t, uint64_t> moved_;         // What an operation creates or moves, by its number.
  std::map<uint64_t, std::string> contents_;  // By inode.
  DiskControl::Cut cut_;
};

Status PowerCut::Run() {
  if (Status status = ReadJournal(); !status.ok()) return status;
  FindHolders();
  const std::vector<Operation> loose = Loose();
  // Back to what is durable, and forward again by any subset.
  for (auto operation = loose.rbegin(); operation != loose.rend(); ++operation) Undo(*operation);
  for (const Operation& operation : loose) {
    if (random_.Below(2) == 0) {
      ++cut_.names_undone;
    } else {
      Redo(operation);
    }
  }
  for (const auto& [name, inode] : names_) {
    const auto holder = holders_.find(inode);
    if (holder != holders_.end() && !contents_.contains(inode)) {
      contents_[inode] = ContentOf(inode, holder->second);
    }
  }
  return Rewrite();
}

Status PowerCut::ReadJournal() {
  std::ifstream journal(state_ + disk::kJournalFile);
  for (std::string line; std::getline(journal, line);) {
    std::istringstream words(line);
    std::string word;
    Operation operation;
    std::getline(words, word, '\t');
    operation.number = ToNumber(word);
    std::getline(words, word, '\t');
    operation.kind = word.empty() ? ' ' : word.front();
    while (std::getline(words, word, '\t')) operation.words.push_back(word);
    if (operation.words.empty()) return Status::InvalidArgument("journal of the disk: " + line);
    journal_.push_back(std::move(operation));
  }
  // Two threads may have written theirs in the other order.
  std::stable_sort(journal_.begin(), journal_.end(),
                   [](const Operation& a, const Operation& b) { return a.number < b.number; });
  return Status::Ok();
}

void PowerCut::FindHolders() {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root_)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = entry.path();
    names_[path] = InodeOf(path);
    holders_[names_[path]] = path;
  }
  for (const fs::directory_entry& kept : fs::directory_iterator(state_ + disk::kKeptFolder)) {
    holders_.try_emplace(InodeOf(kept.path()), kept.path());
  }
}

std::vector<Operation> PowerCut::Loose() const {
  std::map<std::string, int64_t> synced;  // By folder: the newest record that is durable.
  for (const Operation& operation : journal_) {
    if (operation.kind != 'D') continue;
    int64_t& newest = synced[operation.name()];
    newest = std::max(newest, operation.number);
  }
  std::vector<Operation> loose;
  for (const Operation& operation : journal_) {
    if (operation.kind == 'D' || operation.kind == 'O') continue;
    if (operation.number > synced[FolderOf(operation.target())]) loose.push_back(operation);
  }
  return loose;
}

void PowerCut::Undo(const Operation& operation) {
  if (operation.kind == 'U') {
    names_[operation.name()] = InodeOf(KeptPath(operation.number));
    return;
  }
  const auto found = names_.find(operation.target());
  if (found == names_.end()) return;
  const uint64_t inode = moved_[operation.number] = found->second;
  names_.erase(found);
  if (operation.kind == 'C') return;
  names_[operation.name()] = inode;
  if (operation.words.at(2) == "1") {
    names_[operation.target()] = InodeOf(KeptPath(operation.number));
  }
}

void PowerCut::Redo(const Operation& operation) {
  if (operation.kind == 'U') {
    names_.erase(operation.name());
  } else if (operation.kind == 'C') {
    const auto created = moved_.find(operation.number);
    if (created != moved_.end()) names_[operation.name()] = created->second;
  } else if (const auto found = names_.find(operation.name()); found != names_.end()) {
    const uint64_t inode = found->second;
    names_.erase(found);
    names_[operation.target()] = inode;
  }
}

// Of bytes that were overwritten or cut off since the last sync some are the old ones.
void PowerCut::PutBackOldBytes(uint64_t inode, int64_t synced_at, std::string& bytes) {
  for (auto operation = journal_.rbegin(); operation != journal_.rend(); ++operation) {
    if (operation->kind != 'O' || operation->number <= synced_at) continue;
    if (operation->name() != std::to_string(inode) || random_.Below(2) == 0) continue;
    const std::string old = ReadAll(KeptPath(operation->number));
    const auto at = static_cast<size_t>(ToNumber(operation->words.at(1)));
    bytes.resize(std::max(bytes.size(), at + old.size()));
    bytes.replace(at, old.size(), old);
  }
}

std::string PowerCut::ContentOf(uint64_t inode, const std::string& holder) {
  std::string bytes = ReadAll(holder);
  const std::string whole = bytes;
  const disk::FileEntry* const entry = disk::Find(table_, inode, false);
  if (!entry) return bytes;  // Not touched since the last cut.
  const auto durable = static_cast<size_t>(entry->durable_size.load());
  if (durable < bytes.size()) TearUnsynced(bytes, durable, random_);
  PutBackOldBytes(inode, entry->synced_at, bytes);
  if (bytes != whole) ++cut_.files_torn;
  cut_.bytes_lost += static_cast<int64_t>(whole.size()) - static_cast<int64_t>(bytes.size());
  return bytes;
}

Status PowerCut::Rewrite() {
  std::vector<std::string> old;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root_)) {
    if (entry.is_regular_file()) old.push_back(entry.path());
  }
  for (const std::string& path : old) fs::remove(path);
  for (const auto& [name, inode] : names_) {
    const auto found = contents_.find(inode);
    if (found == contents_.end()) continue;
    fs::create_directories(FolderOf(name));
    std::ofstream out(name, std::ios::binary);
    out << found->second;
    if (!out.flush()) return Status::Unavailable("cannot write " + name);
  }
  return Status::Ok();
}

}  // namespace

Result<std::unique_ptr<DiskControl>> DiskControl::Create(const std::string& root,
                                                         const std::string& state) {
  std::error_code error;
  fs::create_directories(root, error);
  fs::create_directories(state + disk::kKeptFolder, error);
  const std::string path = state + disk::kTableFile;
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(disk::Table)) != 0) {
    return Status::Unavailable("cannot write " + path);
  }
  void* const mapped =
      mmap(nullptr, sizeof(disk::Table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped == MAP_FAILED) return Status::Unavailable("cannot map " + path);
  std::unique_ptr<DiskControl> made(
      new DiskControl(fs::canonical(root), state, static_cast<disk::Table*>(mapped)));
  made->LeaveSpace(-1);
  if (Status status = made->Reset(); !status.ok()) return status;
  return made;
}

DiskControl::DiskControl(std::string root, std::string state, disk::Table* table)
    : root_(std::move(root)), state_(std::move(state)), table_(table) {}

DiskControl::~DiskControl() {
  munmap(table_, sizeof(disk::Table));
}

std::vector<std::string> DiskControl::environment() const {
  return {"LD_PRELOAD=" RELAY_DISK_SHIM, std::string(disk::kRootVariable) + "=" + root_,
          std::string(disk::kStateVariable) + "=" + state_};
}

Status DiskControl::Reset() {
  for (const fs::directory_entry& kept : fs::directory_iterator(state_ + disk::kKeptFolder)) {
    fs::remove(kept.path());
  }
  std::ofstream journal(state_ + disk::kJournalFile, std::ios::trunc);
  if (!journal.flush()) return Status::Unavailable("cannot write the journal in " + state_);
  for (disk::FileEntry& entry : table_->entries) {
    entry.inode = 0;
    entry.durable_size = 0;
    entry.synced_at = 0;
  }
  table_->records = 0;
  return Status::Ok();
}

Result<DiskControl::Cut> DiskControl::CutPower(Random& random) {
  PowerCut cut(root_, state_, *table_, random);
  if (Status status = cut.Run(); !status.ok()) return status;
  if (Status status = Reset(); !status.ok()) return status;
  return cut.cut();
}

}  // namespace relay
