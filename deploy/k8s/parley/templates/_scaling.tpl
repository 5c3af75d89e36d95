{{/* How many there are, and who decides it. */}}

{{/* (list $ "agent"): "hpa", "keda", or empty where the chart says a number. */}}
{{- define "parley.scaler" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
{{- if (index . 0).Values.maintenance -}}{{- else if (default dict $values.autoscaling).enabled -}}hpa{{- else if (default dict $values.keda).enabled -}}keda{{- end -}}
{{- end -}}

{{/*
(list $ "agent"): replicas for the Deployment; empty where something scales it, since two owners of one field end the
next upgrade with a conflict.
*/}}
{{- define "parley.replicas" -}}
{{- if not (include "parley.scaler" .) -}}{{- include "parley.fixedReplicas" . -}}{{- end -}}
{{- end -}}

{{/* (list $ "agent"): the number that the values say; none while all stand still. */}}
{{- define "parley.fixedReplicas" -}}
{{- ternary 0 (int (index (index . 0).Values (index . 1)).replicas) (index . 0).Values.maintenance -}}
{{- end -}}

{{/* (list $ "agent"): how many there are at least. */}}
{{- define "parley.leastReplicas" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
{{- $scaler := include "parley.scaler" . -}}
{{- if eq $scaler "hpa" -}}{{- int $values.autoscaling.minReplicas -}}
{{- else if eq $scaler "keda" -}}{{- int $values.keda.minReplicas -}}
{{- else -}}{{- include "parley.fixedReplicas" . -}}{{- end -}}
{{- end -}}

{{/* (list $ "agent"): how many there may be. */}}
{{- define "parley.mostReplicas" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
{{- $scaler := include "parley.scaler" . -}}
{{- if eq $scaler "hpa" -}}{{- int $values.autoscaling.maxReplicas -}}
{{- else if eq $scaler "keda" -}}{{- int $values.keda.maxReplicas -}}
{{- else -}}{{- include "parley.fixedReplicas" . -}}{{- end -}}
{{- end -}}

{{/*
(list $ "agent" (list "agent")): the triggers of a ScaledObject, for a service and its consumers.

Lag is divided among replicas (AverageValue): so much for each. An age is not: it falls once there are enough, whoever's
it is, so it is compared as it is (Value), and replicas are added in proportion for as long as it is above. Texts of
notifications may wait for hours on purpose, so their age says nothing.
*/}}
{{- define "parley.triggers" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}{{- $consumers := index . 2 -}}
{{- $keda := (index $root.Values $component).keda -}}
{{- with include "parley.natsMonitor" $root }}
{{- $endpoint := . }}
{{- range $consumers }}
- type: nats-jetstream
  metricType: AverageValue
  metadata:
    natsServerMonitoringEndpoint: {{ $endpoint | quote }}
    account: {{ ternary "APP" $root.Values.nats.external.monitor.account $root.Values.nats.embedded.enabled | quote }}
    stream: CONVERSATIONS
    consumer: {{ . }}
    lagThreshold: {{ $keda.lagThreshold | quote }}
    useHttps: "false"
{{- end }}
{{- end }}
{{- with $keda.prometheus.serverAddress }}
- type: prometheus
  metricType: Value
  metadata:
    serverAddress: {{ . | quote }}
    query: {{ include "parley.oldestQuery" (list $component $root.Release.Namespace) | quote }}
    threshold: {{ $keda.prometheus.oldestSeconds | quote }}
  {{- with $keda.prometheus.authenticationRef }}
  authenticationRef: {name: {{ . | quote }}}
  {{- end }}
{{- end }}
{{- end -}}

{{/*
(list "agent" "parley"): the age of what waits longest. A replica that alone has lost the broker does not count, its ages grow
although others work; nor does one that knows nothing yet and says NaN.
*/}}
{{- define "parley.oldestQuery" -}}
{{- printf "max((parley_lag_seconds{consumer=%q,namespace=%q} >= 0) and on (namespace, pod) parley_broker_connected == 1)" (index . 0) (index . 1) -}}
{{- end -}}
