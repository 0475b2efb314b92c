#include "bench/micro/accepted_path.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/micro/sample_callback.h"
#include "broker/admission.h"
#include "broker/held_quota.h"
#include "broker/ingress.h"
#include "broker/refusal_log.h"
#include "cli/tencent_callback.h"
#include "relay/check.h"
#include "relay/event_loop.h"
#include "relay/http_server.h"
#include "relay/log.h"
#include "relay/metrics.h"
#include "relay/random.h"
#include "relay/redis_connection.h"
#include "tests/support/raw_client.h"

namespace relay {
namespace {

constexpr int kPartitions = 16;
// Enough for every type of callback and many streams, so that no two in a row are alike.
constexpr int kCallbacks = 256;

std::chrono::nanoseconds ThreadCpu() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

CatalogPtr MakeCatalog() {
  Catalog catalog;
  catalog.sources = {SampleSource()};
  Tenant tenant;
  tenant.id = "acme";
  tenant.push_domains = {std::string(kSampleDomain)};
  tenant.limits.accept_per_s = 10'000'000;  // A rate that is looked at and never reached.
  catalog.tenants = {tenant};
  return CatalogSnapshot::Of(catalog, 1);
}

std::vector<std::string> MakeRequests(int64_t body_bytes) {
  TencentTraffic traffic;
  traffic.key = kSampleKey;
  traffic.run = "micro";
  traffic.body_bytes = body_bytes;
  TencentCallbackMaker maker(traffic);
  std::vector<std::string> requests;
  ProviderCallback callback;
  for (int i = 0; i < kCallbacks; ++i) {
    maker.Make(i, CallbackKind::kGenuine, SystemClock().WallNow(), &callback);
    requests.push_back(
        "POST /in/demo HTTP/1.1\r\nHost: relay.example:8080\r\nUser-Agent: provider/1.0\r\n"
        "Accept: */*\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(callback.body.size()) + "\r\n\r\n" + callback.body);
  }
  return requests;
}

}  // namespace

// Answers what RedisConnection asks on its way up, and each XADD with an id of the length that a
// busy server's have.
class AcceptedPath::StorelessRedis {
 public:
  StorelessRedis() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(where);
    auto* address = reinterpret_cast<sockaddr*>(&where);
    RELAY_CHECK(bind(listener_, address, size) == 0 && listen(listener_, 1) == 0 &&
                getsockname(listener_, address, &size) == 0);
    address_.host = "127.0.0.1";
    address_.port = ntohs(where.sin_port);
  }
  ~StorelessRedis() { close(listener_); }

  const SocketAddress& address() const { return address_; }

  void Serve() {
    if (!client_) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) return;
      client_.emplace(RawClient::Over(fd));
    }
    commands_ += client_->Look().Take();
    std::string_view rest = commands_;
    while (TakeCommand(rest)) continue;
    commands_.erase(0, commands_.size() - rest.size());
    unsent_.erase(0, client_->Send(unsent_));
  }

 private:
  // Takes "<mark><number>\r\n" from the front of `rest`.
  static std::optional<size_t> TakeNumber(std::string_view& rest) {
    const size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    size_t number = 0;
    std::from_chars(rest.data() + 1, rest.data() + end, number);
    rest.remove_prefix(end + 2);
    return number;
  }
  // Takes a whole command from the front of `commands` and answers it; false when none is whole.
  bool TakeCommand(std::string_view& commands) {
    std::string_view rest = commands;
    const auto count = TakeNumber(rest);
    if (!count) return false;
    std::string_view verb;
    for (size_t i = 0; i < *count; ++i) {
      const auto size = TakeNumber(rest);
      if (!size || rest.size() < *size + 2) return false;
      if (i == 0) verb = rest.substr(0, *size);
      rest.remove_prefix(*size + 2);
    }
    commands = rest;
    if (verb == "XADD") {
      unsent_ += "$17\r\n1767225600000-123\r\n";
    } else if (verb == "INFO") {
      unsent_ += "$14\r\nrun_id:micro\r\n\r\n";
    } else {
      unsent_ += "+OK\r\n";
    }
    return true;
  }

  const int listener_;
  SocketAddress address_;
  std::optional<RawClient> client_;
  std::string commands_;
  std::string unsent_;
};

class AcceptedPath::Broker {
 public:
  explicit Broker(const SocketAddress& redis) {
    RedisConnectionOptions options;
    options.name = "micro";
    options.address = redis;
    auto made = RedisConnection::Create(loop_, options, random_, *log_, metrics_);
    RELAY_CHECK(made.ok());
    redis_ = std::move(made).value();
    admission_.emplace(loop_.clock(), Admission::Limits(), metrics_);
    held_quota_.emplace(loop_, *redis_, kPartitions, *admission_);
    refusals_.emplace(loop_.clock(), *redis_, metrics_);
    ingress_.emplace(
        loop_, std::vector<RedisClient*>{redis_.get()}, kPartitions, *admission_, *held_quota_,
        *refusals_, metrics_,
        [this](Ingress::Ticket ticket, const HttpAnswer& answer) { OnAnswer(ticket, answer); });
    ingress_->SetCatalog(MakeCatalog());
    ingress_->SetReady(true);
    server_.emplace(
        loop_, HttpLimits(), [this](HttpExchange exchange) { OnRequest(std::move(exchange)); },
        [](std::string_view, int) { RELAY_CHECK(!"a callback is refused by the server"); });
    SocketAddress any;
    any.host = "127.0.0.1";
    RELAY_CHECK(server_->Listen(any).ok());
  }

  bool up() const { return redis_->up(); }
  int port() const { return server_->port(); }

  // One turn of the loop, which does not wait.
  void Turn(Cost& cost) {
    TraceAllocationsOfThisThread(tracing_);
    const AllocationCount before = AllocationsOfThisThread();
    const std::chrono::nanoseconds begin = ThreadCpu();
    event_base_loop(loop_.base(), EVLOOP_NONBLOCK);
    cost.cpu += ThreadCpu() - begin;
    cost.allocations += AllocationsOfThisThread() - before;
    TraceAllocationsOfThisThread(false);
  }
  void set_tracing(bool tracing) { tracing_ = tracing; }

 private:
  // As in broker/broker.cc.
  void OnRequest(HttpExchange exchange) {
    if (free_tickets_.empty()) {
      free_tickets_.push_back(static_cast<Ingress::Ticket>(exchanges_.size()));
      exchanges_.emplace_back();
    }
    const Ingress::Ticket ticket = free_tickets_.back();
    const std::optional<HttpAnswer> answer =
        ingress_->Take(ticket, exchange.request(), [&exchange] { return exchange.peer(); });
    RELAY_CHECK(!answer);
    free_tickets_.pop_back();
    exchanges_[ticket] = std::move(exchange);
  }
  void OnAnswer(Ingress::Ticket ticket, const HttpAnswer& answer) {
    exchanges_[ticket].Answer(answer);
    exchanges_[ticket] = HttpExchange();
    free_tickets_.push_back(ticket);
  }

  SystemLoop loop_;
  Random random_{1};
  std::unique_ptr<Log> log_ = Log::Silent();
  Metrics metrics_;
  std::unique_ptr<RedisConnection> redis_;
  std::optional<Admission> admission_;
  std::optional<HeldQuota> held_quota_;
  std::optional<RefusalLog> refusals_;
  std::optional<Ingress> ingress_;
  std::vector<HttpExchange> exchanges_;
  std::vector<Ingress::Ticket> free_tickets_;
  bool tracing_ = false;
  std::optional<HttpServer> server_;  // Last: it closes its connections, which hold exchanges.
};

class AcceptedPath::Clients {
 public:
  Clients(int port, const Load& load) : requests_(MakeRequests(load.body_bytes)) {
    for (int i = 0; i < load.connections; ++i) clients_.push_back({RawClient::Connect(port), {}});
  }

  void Begin() {
    answered_ = 0;
    for (Client& client : clients_) client.unsent = requests_[next_++ % requests_.size()];
  }
  // Sends what the kernel takes and reads what has come. True once every client has its answer.
  bool Serve() {
    for (Client& client : clients_) {
      if (!client.unsent.empty()) client.unsent.remove_prefix(client.socket.Send(client.unsent));
      const std::string answer = client.socket.Look().Take();
      if (answer.empty()) continue;
      RELAY_CHECK(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("{\"code\":0}"));
      ++answered_;
    }
    return answered_ == clients_.size();
  }

 private:
  struct Client {
    RawClient socket;
    std::string_view unsent;
  };

  const std::vector<std::string> requests_;
  std::vector<Client> clients_;
  size_t next_ = 0;
  size_t answered_ = 0;
};

AcceptedPath::AcceptedPath(Load load)
    : redis_(std::make_unique<StorelessRedis>()),
      broker_(std::make_unique<Broker>(redis_->address())),
      clients_(std::make_unique<Clients>(broker_->port(), load)) {
  for (Cost unused; !broker_->up(); broker_->Turn(unused)) redis_->Serve();
}

AcceptedPath::~AcceptedPath() = default;

AcceptedPath::Cost AcceptedPath::Round() {
  Cost cost;
  for (clients_->Begin(); !clients_->Serve(); broker_->Turn(cost)) redis_->Serve();
  return cost;
}

void AcceptedPath::TraceRound() {
  broker_->set_tracing(true);
  Round();
  broker_->set_tracing(false);
}

}  // namespace relay
