#!/bin/sh
# Inside the image: settings from the environment as Apache's own image has them (KAFKA_LOG_DIRS is log.dirs), a format
# where the folder is new, then the server in this process's place.
set -eu
SETTINGS=/tmp/server.properties
env | sed -n 's/^KAFKA_\([A-Z_]*\)=\(.*\)$/\1 \2/p' | while read -r name value; do
  case $name in HEAP_OPTS | JVM) continue ;; esac
  printf '%s=%s\n' "$(printf %s "$name" | tr 'A-Z_' 'a-z.')" "$value"
done >$SETTINGS
java() { /jre/bin/java -Dlog4j2.configurationFile=file:/opt/log4j2.properties -cp '/opt/jars/*' "$@"; }
java -Xmx64m kafka.tools.StorageTool format --ignore-formatted -t "${CLUSTER_ID:-b3BlbnRhY3Qta2Fma2EtMQ}" -c $SETTINGS
exec /jre/bin/java ${KAFKA_HEAP_OPTS:--Xmx512m} -Dlog4j2.configurationFile=file:/opt/log4j2.properties \
  -cp '/opt/jars/*' kafka.Kafka $SETTINGS
