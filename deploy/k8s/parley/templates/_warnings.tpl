{{/* What works and is unwise: a list of sentences, as JSON. */}}
{{- define "parley.warnings" -}}
{{- $v := .Values -}}{{- $warnings := list -}}{{- $embedded := $v.nats.embedded -}}
{{- $simulated := $v.simulator.enabled -}}
{{- if $simulated -}}
{{- $warnings = append $warnings "simulator.enabled is true: no text reaches a phone." -}}
{{- end -}}
{{- if $v.channel.allowAllUsers -}}
{{- $warnings = append $warnings "channel.allowAllUsers is true: everybody who knows the number is answered, at your cost." -}}
{{- else if not $v.channel.allowedUsers -}}
{{- $warnings = append $warnings "nobody is answered: name people in channel.allowedUsers, or set channel.allowAllUsers=true." -}}
{{- end -}}
{{- if and $v.channel.allowAllUsers (not (int $v.channel.dailySegments)) (not $simulated) -}}
{{- $warnings = append $warnings "channel.dailySegments is 0: nothing caps what the channel may cost in a day." -}}
{{- end -}}
{{- if and (hasPrefix "http://" $v.publicUrl) (not $simulated) -}}
{{- $warnings = append $warnings "publicUrl is http://: people's texts cross the internet in the open." -}}
{{- end -}}
{{- if $embedded.enabled -}}
{{- if eq (int $embedded.replicas) 1 -}}
{{- $warnings = append $warnings "nats.embedded.replicas is 1: while its node is away nothing is accepted, and its volume is the only copy. It cannot be raised later: install with 3 (values-ha.yaml), or restore a backup into a new release." -}}
{{- end -}}
{{- if ne (toString $embedded.syncInterval) "always" -}}
{{- $warnings = append $warnings (printf "nats.embedded.syncInterval is %v: texts that were acknowledged to Twilio in that time are lost when power fails." $embedded.syncInterval) -}}
{{- end -}}
{{- if not $embedded.tls.secret -}}
{{- $warnings = append $warnings "nats.embedded.tls.secret is empty: texts and passwords cross the cluster's network in the open." -}}
{{- end -}}
{{- if not $embedded.existingSecret -}}
{{- $warnings = append $warnings "the passwords of NATS are made by Helm: where Argo CD or Flux renders the chart, they would be others each time, so set nats.embedded.existingSecret there." -}}
{{- end -}}
{{- else -}}
{{- if not $v.nats.external.credentialsSecret -}}
{{- $warnings = append $warnings "nats.external.credentialsSecret is empty: whoever reaches that NATS reads every text." -}}
{{- end -}}
{{- if not (int $v.streams.replicas) -}}
{{- $warnings = append $warnings "streams.replicas is 0, which with an external NATS means one copy: set 3 where it is a cluster." -}}
{{- end -}}
{{- if and $v.networkPolicy.enabled (not $v.networkPolicy.natsEgress) -}}
{{- $warnings = append $warnings "networkPolicy.natsEgress is empty: pods may reach any address at the port of nats.external.url." -}}
{{- end -}}
{{- end -}}
{{- if and (eq (include "parley.streamReplicas" .) "1") $embedded.enabled (gt (int $embedded.replicas) 1) -}}
{{- $warnings = append $warnings "streams.replicas is 1 in a cluster: each stream is gone with its server." -}}
{{- end -}}
{{- if not $v.streams.declare.enabled -}}
{{- $warnings = append $warnings "streams.declare.enabled is false: services wait until somebody runs python -m parley_common.declare." -}}
{{- end -}}
{{- if not (include "parley.postgresql" .) -}}
{{- $warnings = append $warnings "status keeps SQLite on one volume: it has one replica, and is away while that moves. Name a PostgreSQL in status.database.existingSecret for more." -}}
{{- if not $v.status.database.storage.retain -}}
{{- $warnings = append $warnings "status.database.storage.retain is false: the database goes with helm uninstall." -}}
{{- end -}}
{{- else if and $v.networkPolicy.enabled (not $v.networkPolicy.statusEgress) -}}
{{- $warnings = append $warnings "networkPolicy.statusEgress is empty: status may reach any address at the port of PostgreSQL." -}}
{{- end -}}
{{- if not $v.networkPolicy.enabled -}}
{{- $warnings = append $warnings "networkPolicy.enabled is false: every pod of the cluster may speak with NATS and read metrics." -}}
{{- else if and $v.telemetry.otlpEndpoint (not $v.networkPolicy.telemetryEgress) -}}
{{- $warnings = append $warnings "networkPolicy.telemetryEgress is empty: pods may reach any address at the port of telemetry.otlpEndpoint." -}}
{{- end -}}
{{- if not $v.secrets.existingSecret -}}
{{- $warnings = append $warnings "the credentials came with the values, and so are in Helm's record of this release too: prefer secrets.existingSecret. Keep a copy of secrets.hashKey elsewhere: without it every STOP is forgotten." -}}
{{- else -}}
{{- $warnings = append $warnings (printf "keep a copy of %s elsewhere: without it every STOP is forgotten." $v.secrets.keys.hashKey) -}}
{{- end -}}
{{- if and (or $v.agent.keda.enabled $v.egress.keda.enabled) (not (.Capabilities.APIVersions.Has "keda.sh/v1alpha1")) -}}
{{- $warnings = append $warnings "keda is enabled, and this cluster does not know keda.sh/v1alpha1: install KEDA 2.17 or newer, else nothing scales agent and egress." -}}
{{- end -}}
{{- if and (or $v.http.route.enabled $v.http.inbox.route.enabled) (not (.Capabilities.APIVersions.Has "gateway.networking.k8s.io/v1")) -}}
{{- $warnings = append $warnings "an HTTPRoute is enabled, and this cluster does not know gateway.networking.k8s.io/v1: install the Gateway API." -}}
{{- end -}}
{{- range list "ingress" "status" -}}
{{- $type := (index $v .).service.type -}}
{{- if ne $type "ClusterIP" -}}
{{- $warnings = append $warnings (printf "%s.service.type is %s: its /metrics and /readyz are as public as its other paths. An Ingress or HTTPRoute routes what is meant to be public alone." . $type) -}}
{{- end -}}
{{- end -}}
{{- if $v.maintenance -}}
{{- $warnings = append $warnings "maintenance is true: no service runs, and Twilio's webhooks go unanswered." -}}
{{- end -}}
{{- if not $v.backup.enabled -}}
{{- if not $simulated -}}
{{- $warnings = append $warnings "backup.enabled is false: who said STOP is in NATS alone." -}}
{{- end -}}
{{- end -}}
{{- toJson $warnings -}}
{{- end -}}
