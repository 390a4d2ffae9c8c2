#!/usr/bin/env bash
# Run a command against a real Apache Kafka, and stop Kafka whatever happens:
#
#   deploy/kafkatest/with-kafka.sh go test ./ingest/kafka/...
#
# Kafka is one node in KRaft mode (broker and controller in one process) on free
# ports of 127.0.0.1, with its data in a temporary folder. The command finds its
# address in KINDRED_TEST_KAFKA. The jars come from Maven Central, once, into
# .cache/kafka; each must have the checksum in jars.sha256.
#
#   with-kafka.sh sums    writes jars.sha256 from what Maven gives (a new version)
#
# With KINDRED_KAFKA_LOG the broker's log goes to that file; otherwise it is
# shown when the broker does not start or ends by itself.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$here/../../.cache/kafka

die() { echo "with-kafka: $*" >&2; exit 1; }
[ $# -gt 0 ] || die "no command given; usage: with-kafka.sh COMMAND [ARGUMENT]..."
command -v sha256sum >/dev/null || die "sha256sum is missing (package coreutils)"
command -v java >/dev/null || die "java is missing: Apache Kafka needs a Java runtime, version 17 or later (package openjdk-17-jre-headless)"
java=$(java -version 2>&1 | sed -nE '1s/.*"([0-9]+).*/\1/p')
[ "${java:-0}" -ge 17 ] || die "java is version ${java:-unknown}; Apache Kafka needs 17 or later"

fetch() {
  command -v mvn >/dev/null || die "mvn is missing: Apache Kafka is fetched with Maven (package maven)"
  rm -rf "$cache"
  mkdir -p "$cache"
  mvn --batch-mode --quiet --file "$here/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$(cd "$cache" && pwd)" >"$cache/mvn.log" 2>&1 ||
    { cat "$cache/mvn.log" >&2; die "Maven could not fetch Apache Kafka"; }
  rm -f "$cache/mvn.log"
}

# checked fails unless the cache holds exactly the jars of jars.sha256.
checked() {
  (cd "$cache" 2>/dev/null && sha256sum --check --quiet --strict "$here/jars.sha256" >&2 &&
    diff <(cut -c67- "$here/jars.sha256" | sort) <(ls | sort) >&2)
}

if [ "$1" = sums ]; then
  fetch
  (cd "$cache" && sha256sum ./*.jar | sed 's# \./# #') >"$here/jars.sha256"
  echo "wrote $here/jars.sha256"
  exit
fi
[ -d "$cache" ] || fetch
checked || { echo "with-kafka: the cached jars are not those of jars.sha256; fetching them again" >&2; fetch; checked ||
  { rm -rf "$cache"; die "what Maven gave differs from jars.sha256: not started"; }; }

dir=$(mktemp -d)
broker=
stop() {
  local code=$?
  trap - EXIT INT TERM HUP
  if [ -n "$broker" ]; then
    kill "$broker" 2>/dev/null || true
    for _ in $(seq 100); do kill -0 "$broker" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$broker" 2>/dev/null || true
    wait "$broker" 2>/dev/null || true
  fi
  rm -rf "$dir"
  exit "$code"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
port=$(free_port)
controller=$(free_port)
while [ "$controller" = "$port" ]; do controller=$(free_port); done
cat >"$dir/server.properties" <<CONFIG
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$dir/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=3
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
log.retention.check.interval.ms=1000
log.segment.delete.delay.ms=100
CONFIG
kafka() {
  exec java -Xms256m -Xmx512m -XX:+UseSerialGC -Djava.net.preferIPv4Stack=true \
    -Dlog4j2.configurationFile="$here/log4j2.properties" -cp "$cache/*" "$@"
}
log=${KINDRED_KAFKA_LOG:-$dir/kafka.log}
# With "=": one id in 64 begins with "-", and would be taken for a flag.
(kafka kafka.tools.StorageTool format --cluster-id="$(head -c16 /dev/urandom | base64 | tr '+/' '-_' | cut -c1-22)" \
  --config "$dir/server.properties") >"$log" 2>&1 || { cat "$log" >&2; die "could not format the storage"; }
(kafka kafka.Kafka "$dir/server.properties") >>"$log" 2>&1 &
broker=$!
for i in $(seq 600); do
  kill -0 "$broker" 2>/dev/null || { cat "$log" >&2; die "Apache Kafka ended while starting"; }
  # It listens once it has joined its own cluster.
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  [ "$i" -lt 600 ] || { cat "$log" >&2; die "Apache Kafka is not ready after 60 s"; }
  sleep 0.1
done
version=$(basename "$cache"/kafka_2.13-*.jar .jar)
echo "with-kafka: ${version#kafka_2.13-} is ready at 127.0.0.1:$port (process $broker, Java $java)"

code=0
KINDRED_TEST_KAFKA=127.0.0.1:$port "$@" || code=$?
kill -0 "$broker" 2>/dev/null || { tail -50 "$log" >&2; die "Apache Kafka ended by itself"; }
exit "$code"
