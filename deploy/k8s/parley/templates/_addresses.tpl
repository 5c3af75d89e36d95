{{/* Where things answer, each said once. */}}

{{/* The address at which Twilio reaches ingress. A simulated Twilio reaches it inside the cluster. */}}
{{- define "parley.publicUrl" -}}
{{- if or .Values.publicUrl (not .Values.simulator.enabled) -}}
{{- .Values.publicUrl | trimSuffix "/" -}}
{{- else -}}
{{- printf "http://%s:%d" (include "parley.name" (list . "ingress")) (int .Values.ingress.service.port) -}}
{{- end -}}
{{- end -}}

{{/* The host of the public address, without its port. */}}
{{- define "parley.publicHost" -}}
{{- get (urlParse (include "parley.publicUrl" .)) "hostname" -}}
{{- end -}}

{{/* What stands before /webhooks/ in the public address: empty, or like /parley. */}}
{{- define "parley.publicPath" -}}
{{- get (urlParse (include "parley.publicUrl" .)) "path" | trimSuffix "/" -}}
{{- end -}}

{{/* Twilio's API: empty for the real one. */}}
{{- define "parley.apiBaseUrl" -}}
{{- if and .Values.simulator.enabled (not .Values.channel.apiBaseUrl) -}}
{{- printf "http://%s" (include "parley.simulatorHost" .) -}}
{{- else -}}
{{- .Values.channel.apiBaseUrl -}}
{{- end -}}
{{- end -}}

{{- define "parley.simulatorHost" -}}
{{- printf "%s:%d" (include "parley.name" (list . "simulator")) (int .Values.simulator.port) -}}
{{- end -}}

{{/* (list $ "agent"): where a service answers inside the cluster. */}}
{{- define "parley.serviceUrl" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
{{- $service := default (dict "port" 80) $values.service -}}
{{- printf "http://%s:%d" (include "parley.name" .) (int $service.port) -}}
{{- end -}}

{{/* Where the broker is. Several servers are named one by one, so that a client finds one that is there. */}}
{{- define "parley.natsUrl" -}}
{{- $root := . -}}{{- $embedded := .Values.nats.embedded -}}
{{- if not $embedded.enabled -}}
{{- .Values.nats.external.url -}}
{{- else -}}
{{- $scheme := ternary "tls" "nats" (not (empty $embedded.tls.secret)) -}}
{{- $name := include "parley.name" (list $root "nats") -}}
{{- if eq (int $embedded.replicas) 1 -}}
{{- printf "%s://%s.%s.svc:4222" $scheme $name $root.Release.Namespace -}}
{{- else -}}
{{- $urls := list -}}
{{- range until (int $embedded.replicas) -}}
{{- $urls = append $urls (printf "%s://%s:4222" $scheme (include "parley.nats.host" (list $root .))) -}}
{{- end -}}
{{- join "," $urls -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* host:port of the broker's monitoring, for KEDA: headless, since it looks for the consumer's leader by pod name. */}}
{{- define "parley.natsMonitor" -}}
{{- if .Values.nats.embedded.enabled -}}
{{- printf "%s-headless.%s.svc:8222" (include "parley.name" (list . "nats")) .Release.Namespace -}}
{{- else -}}
{{- .Values.nats.external.monitor.endpoint -}}
{{- end -}}
{{- end -}}

{{/* Where traces go, by OTLP over HTTP; empty for nowhere. */}}
{{- define "parley.otlpEndpoint" -}}
{{- if and .Values.telemetry.jaeger.enabled (not .Values.telemetry.otlpEndpoint) -}}
{{- printf "http://%s:4318" (include "parley.name" (list . "jaeger")) -}}
{{- else -}}
{{- .Values.telemetry.otlpEndpoint -}}
{{- end -}}
{{- end -}}
