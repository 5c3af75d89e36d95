{{/* The embedded NATS. Whoever calls these has seen that nats.embedded.enabled is true. */}}

{{/* Those whose passwords the Secret holds; route is what the servers of a cluster say to each other. */}}
{{- define "parley.nats.users" -}}
{{- list "ingress" "agent" "egress" "status" "operator" "declare" "sys" "route" | toJson -}}
{{- end -}}

{{- define "parley.nats.secretName" -}}
{{- default (printf "%s-users" (include "parley.name" (list . "nats"))) .Values.nats.embedded.existingSecret -}}
{{- end -}}

{{/* Another volume in a cluster: a single server's streams would be lost in it. */}}
{{- define "parley.nats.volume" -}}
{{- ternary "data" "data-cluster" (eq (int .Values.nats.embedded.replicas) 1) -}}
{{- end -}}

{{/* (list "20Gi" "nats.embedded.storage.size"): a quantity of Kubernetes in bytes. */}}
{{- define "parley.nats.bytes" -}}
{{- $text := toString (index . 0) -}}
{{- if not (regexMatch "^[0-9]+([.][0-9]+)?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$" $text) -}}
{{- fail (printf "%s is %q: write a size such as 20Gi" (index . 1) $text) -}}
{{- end -}}
{{- $number := regexFind "^[0-9.]+" $text | float64 -}}
{{- $unit := regexFind "[A-Za-z]+$" $text | default "one" -}}
{{- $factors := dict "one" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 -}}
{{- mulf $number (index $factors $unit | float64) | int64 -}}
{{- end -}}

{{/* Of the volume, 90 %: what a file system keeps for itself is not there to be reserved. */}}
{{- define "parley.nats.maxFileStore" -}}
{{- $storage := .Values.nats.embedded.storage -}}
{{- $size := include "parley.nats.bytes" (list $storage.size "nats.embedded.storage.size") | int64 -}}
{{- if $storage.maxFileStore -}}
{{- $most := include "parley.nats.bytes" (list $storage.maxFileStore "nats.embedded.storage.maxFileStore") | int64 -}}
{{- if gt $most $size -}}
{{- fail (printf "nats.embedded.storage.maxFileStore is %s, more than storage.size %s: write less than the volume holds" (toString $storage.maxFileStore) (toString $storage.size)) -}}
{{- end -}}
{{- $most -}}
{{- else -}}
{{- div (mul $size 9) 10 -}}
{{- end -}}
{{- end -}}

{{/* always, or a duration: in quotes, since the server reads a bare 2m as two million. */}}
{{- define "parley.nats.syncInterval" -}}
{{- $interval := toString .Values.nats.embedded.syncInterval -}}
{{- if eq $interval "always" -}}
always
{{- else if regexMatch "^([0-9]+(ms|s|m|h))+$" $interval -}}
{{- $interval | quote -}}
{{- else -}}
{{- fail (printf "nats.embedded.syncInterval is %q: write always, or a duration with its unit such as 10s" $interval) -}}
{{- end -}}
{{- end -}}

{{/* How a server of a cluster ends, in seconds: it waits graceS, moves its clients away within drainS, and has
     twenty more before it is killed. The server takes no drainS below 30. */}}
{{- define "parley.nats.ending" -}}
{{- $all := int .Values.nats.embedded.terminationGracePeriodSeconds -}}
{{- if lt $all 60 -}}
{{- fail (printf "nats.embedded.terminationGracePeriodSeconds is %d: write at least 60, since a server takes 40 s to move its clients away" $all) -}}
{{- end -}}
{{- dict "all" $all "grace" 10 "drain" (sub $all 30) | toJson -}}
{{- end -}}

{{/* The DNS names of the servers, as routes and certificates know them. */}}
{{- define "parley.nats.host" -}}
{{- $name := include "parley.name" (list (index . 0) "nats") -}}
{{- printf "%s-%d.%s-headless.%s.svc" $name (int (index . 1)) $name (index . 0).Release.Namespace -}}
{{- end -}}

{{/* (list password user where): refuses what cannot stand in the configuration, or between client and server. */}}
{{- define "parley.nats.checkPassword" -}}
{{- $password := index . 0 -}}{{- $user := index . 1 -}}{{- $where := index . 2 -}}
{{- if or (not $password) (contains "'" $password) (ne $password (trim $password)) (regexMatch "[[:cntrl:]]" $password) (hasPrefix "$2" $password) -}}
{{- fail (printf "%s: the password of %s must not be empty, begin with $2, begin or end with a space, or hold ' or a line's end: use letters and digits" $where $user) -}}
{{- end -}}
{{- if and (eq $user "route") (not (regexMatch "^[A-Za-z0-9._~-]+$" $password)) -}}
{{- fail (printf "%s: the password of route stands in an address: use letters and digits" $where) -}}
{{- end -}}
{{- end -}}

{{/* Refuses what would lose streams, and passwords that cannot work, as far as the cluster can be asked. */}}
{{- define "parley.nats.check" -}}
{{- $nats := .Values.nats.embedded -}}
{{- if not (has (int $nats.replicas) (list 1 3 5)) -}}
{{- fail (printf "nats.embedded.replicas is %d: write 1, 3 or 5, since a cluster needs a majority" (int $nats.replicas)) -}}
{{- end -}}
{{- $name := include "parley.name" (list . "nats") -}}
{{- with lookup "apps/v1" "StatefulSet" .Release.Namespace $name -}}
{{- $before := (index .spec.volumeClaimTemplates 0).metadata.name -}}
{{- if ne $before (include "parley.nats.volume" $) -}}
{{- fail (printf "nats.embedded.replicas is %d, but NATS runs with %d: one server's streams would be lost in a cluster, and a cluster's in one server. Take a backup, uninstall, install anew and restore: see docs/kubernetes.md" (int $nats.replicas) (int .spec.replicas)) -}}
{{- end -}}
{{- if lt (int $nats.replicas) (int .spec.replicas) -}}
{{- fail (printf "nats.embedded.replicas is %d, but NATS runs with %d: streams with copies on the servers that would go might lose their majority. Leave it, or install anew and restore a backup: see docs/kubernetes.md" (int $nats.replicas) (int .spec.replicas)) -}}
{{- end -}}
{{- end -}}
{{- range $user, $password := $nats.passwords -}}
{{- if not (has $user (include "parley.nats.users" $ | fromJsonArray)) -}}
{{- fail (printf "nats.embedded.passwords names %s, and there is no such user: %s" $user (include "parley.nats.users" $ | fromJsonArray | join ", ")) -}}
{{- end -}}
{{- include "parley.nats.checkPassword" (list (toString $password) $user "nats.embedded.passwords") -}}
{{- end -}}
{{- if $nats.existingSecret -}}
{{- with lookup "v1" "Secret" .Release.Namespace $nats.existingSecret -}}
{{- $data := .data | default dict -}}
{{- range $user := include "parley.nats.users" $ | fromJsonArray -}}
{{- if or (ne $user "route") (gt (int $nats.replicas) 1) -}}
{{- if not (hasKey $data $user) -}}
{{- fail (printf "the Secret %s has no password for %s: add the key %s" $nats.existingSecret $user $user) -}}
{{- end -}}
{{- include "parley.nats.checkPassword" (list (index $data $user | b64dec) $user (printf "the Secret %s" $nats.existingSecret)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the server reads. Its volume is /data; who may do what is files/nats/accounts.conf. */}}
{{- define "parley.nats.conf" -}}
{{- $nats := .Values.nats.embedded -}}
{{- $ending := include "parley.nats.ending" . | fromJson -}}
server_name: $SERVER_NAME
port: 4222
http_port: 8222
pid_file: "/run/nats/nats.pid"

jetstream {
  store_dir: "/data"
  max_file_store: {{ include "parley.nats.maxFileStore" . }}
  max_memory_store: {{ include "parley.nats.bytes" (list $nats.maxMemoryStore "nats.embedded.maxMemoryStore") }}
  sync_interval: {{ include "parley.nats.syncInterval" . }}
}

lame_duck_grace_period: "{{ int $ending.grace }}s"
lame_duck_duration: "{{ int $ending.drain }}s"

{{- if $nats.tls.secret }}

tls {
  cert_file: "/etc/nats-tls/tls.crt"
  key_file: "/etc/nats-tls/tls.key"
  ca_file: "/etc/nats-tls/ca.crt"
}
{{- end }}

{{- if gt (int $nats.replicas) 1 }}

cluster {
  name: {{ include "parley.name" (list . "nats") | quote }}
  port: 6222
  no_advertise: true
  authorization {
    user: route
    password: $ROUTE_PASSWORD
    timeout: 5
  }
  {{- if $nats.tls.secret }}
  tls {
    cert_file: "/etc/nats-tls/tls.crt"
    key_file: "/etc/nats-tls/tls.key"
    ca_file: "/etc/nats-tls/ca.crt"
    verify: true
  }
  {{- end }}
  routes: [
    {{- range $i := until (int $nats.replicas) }}
    $ROUTE_{{ $i }}
    {{- end }}
  ]
}
{{- end }}

include "./accounts.conf"
{{- end -}}
