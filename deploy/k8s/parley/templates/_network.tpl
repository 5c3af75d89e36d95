{{/*
Who may speak with whom. One table, from which both ends' policies are made, so that neither can forget the other.

Each row: who speaks, who listens, at which port. Ports are numbers: not every network plugin knows names of ports
in what goes out.
*/}}
{{- define "parley.conversations" -}}
{{- $v := .Values -}}
{{- $rows := list
  (list "test" "ingress" $v.ingress.port)
  (list "test" "agent" $v.agent.port)
  (list "test" "egress" $v.egress.port)
  (list "test" "status" $v.status.port)
-}}
{{- if $v.nats.embedded.enabled -}}
{{- $rows = concat $rows (list (list "ingress agent egress status declare cli backup" "nats" 4222) (list "nats" "nats" 6222)) -}}
{{- end -}}
{{- if $v.simulator.enabled -}}
{{- $rows = concat $rows (list (list "simulator" "ingress" $v.ingress.port) (list "ingress agent egress status" "simulator" $v.simulator.port)) -}}
{{- end -}}
{{- if $v.telemetry.jaeger.enabled -}}
{{- $rows = append $rows (list "ingress agent egress status" "jaeger" 4318) -}}
{{- end -}}
{{- range $rows }}
- {from: {{ splitList " " (index . 0) | toJson }}, to: {{ index . 1 }}, port: {{ int (index . 2) }}}
{{- end -}}
{{- end -}}

{{/* What is in this release, and so has a policy. */}}
{{- define "parley.components" -}}
{{- $v := .Values -}}
{{- $all := list "ingress" "agent" "egress" "status" "test" -}}
{{- if $v.cli.enabled -}}{{- $all = append $all "cli" -}}{{- end -}}
{{- if $v.simulator.enabled -}}{{- $all = append $all "simulator" -}}{{- end -}}
{{- if $v.nats.embedded.enabled -}}{{- $all = append $all "nats" -}}{{- end -}}
{{- if $v.telemetry.jaeger.enabled -}}{{- $all = append $all "jaeger" -}}{{- end -}}
{{- if $v.streams.declare.enabled -}}{{- $all = append $all "declare" -}}{{- end -}}
{{- if include "parley.postgresql" . -}}{{- $all = append $all "migrate" -}}{{- end -}}
{{- if $v.backup.enabled -}}{{- $all = append $all "backup" -}}{{- end -}}
{{- toJson $all -}}
{{- end -}}

{{/* (list $ "agent"): what may come in, as a list of rules. */}}
{{- define "parley.ingressRules" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}{{- $v := $root.Values -}}{{- $policy := $v.networkPolicy -}}
{{- range fromYamlArray (include "parley.conversations" $root) }}
{{- if eq .to $component }}
- from:
    {{- range .from }}
    - podSelector: {matchLabels: {{ include "parley.selectorLabels" (list $root .) | fromYaml | toJson }}}
    {{- end }}
  ports: [{port: {{ int .port }}, protocol: TCP}]
{{- end }}
{{- end }}
{{- if has $component (list "ingress" "agent" "egress" "status") }}
{{- $own := index $v $component }}
- from: {{ include "parley.peers" $policy.monitoring }}
  ports: [{port: {{ int $own.port }}, protocol: TCP}]
{{- $routed := or (eq $component "ingress") (and (eq $component "status") (or $v.http.inbox.ingress.enabled $v.http.inbox.route.enabled)) }}
{{- if and $own.service (ne (default dict $own.service).type "ClusterIP") }}
- ports: [{port: {{ int $own.port }}, protocol: TCP}]  # a Service that is reached from outside has callers of any address
{{- else if and $own.service $routed }}
- from: {{ include "parley.peers" $policy.gateway }}
  ports: [{port: {{ int $own.port }}, protocol: TCP}]
{{- end }}
{{- end }}
{{- if eq $component "nats" }}
- from: {{ include "parley.peers" $policy.keda }}
  ports: [{port: 8222, protocol: TCP}]
{{- if $v.telemetry.natsExporter.enabled }}
- from: {{ include "parley.peers" $policy.monitoring }}
  ports: [{port: 7777, protocol: TCP}]
{{- end }}
{{- end }}
{{- with index $policy.extraIngress $component }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* (list $ "agent"): what may go out. */}}
{{- define "parley.egressRules" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}{{- $v := $root.Values -}}{{- $policy := $v.networkPolicy -}}
{{- if ne $component "jaeger" }}
- to: {{ include "parley.peers" $policy.dns }}
  ports:
    {{- range $policy.dns.ports }}
    - {port: {{ int . }}, protocol: UDP}
    - {port: {{ int . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- range fromYamlArray (include "parley.conversations" $root) }}
{{- if has $component .from }}
- to: [{podSelector: {matchLabels: {{ include "parley.selectorLabels" (list $root .to) | fromYaml | toJson }}}}]
  ports: [{port: {{ int .port }}, protocol: TCP}]
{{- end }}
{{- end }}
{{- /* Where Twilio is simulated, nobody needs the real one; a model is real all the same. */}}
{{- if or (eq $component "agent") (and (has $component (list "ingress" "egress" "status")) (not $v.simulator.enabled)) }}
- to:
    {{- range $cidr := $policy.internet.cidrs }}
    - ipBlock: {cidr: {{ $cidr | quote }}{{ include "parley.except" (list $cidr $policy.internet.except) }}}
    {{- end }}
  ports:
    {{- range $policy.internet.ports }}
    - {port: {{ int . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- if and (include "parley.usesNats" $component) (not $v.nats.embedded.enabled) }}
{{- include "parley.outside" (list $policy.natsEgress $v.nats.external.url 4222) }}
{{- end }}
{{- if and (has $component (list "status" "migrate")) (include "parley.postgresql" $root) }}
{{- include "parley.outside" (list $policy.statusEgress $v.status.database.url 5432) }}
{{- end }}
{{- if and (has $component (list "ingress" "agent" "egress" "status")) $v.telemetry.otlpEndpoint }}
{{- include "parley.outside" (list $policy.telemetryEgress $v.telemetry.otlpEndpoint (ternary 443 80 (hasPrefix "https://" $v.telemetry.otlpEndpoint))) }}
{{- end }}
{{- if eq $component "agent" }}
{{- with $policy.agentEgress }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- with index $policy.extraEgress $component }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* .Values.networkPolicy.gateway: its pods and its addresses, since load balancers of clouds are no pods. */}}
{{- define "parley.peers" -}}
{{- $peers := list (pick . "namespaceSelector" "podSelector") -}}
{{- range .cidrs -}}{{- $peers = append $peers (dict "ipBlock" (dict "cidr" .)) -}}{{- end -}}
{{- toJson $peers -}}
{{- end -}}

{{/* (list cidr except): those exceptions that can be in it: a policy with another is refused. */}}
{{- define "parley.except" -}}
{{- $cidr := index . 0 -}}{{- $inside := list -}}
{{- range index . 1 -}}
{{- if eq $cidr (ternary "::/0" "0.0.0.0/0" (contains ":" .)) -}}{{- $inside = append $inside . -}}{{- end -}}
{{- end -}}
{{- with $inside }}, except: {{ toJson . }}{{ end -}}
{{- end -}}

{{/*
(list rules "nats://one:4222,nats://two" 4222): the operator's rules to something that is not of this release. Without any, its ports are open to
anywhere: nobody knows from a name where it is.
*/}}
{{- define "parley.outside" -}}
{{- if index . 0 }}
{{ toYaml (index . 0) }}
{{- else }}
{{- $default := index . 2 -}}{{- $ports := list -}}
{{- range splitList "," (default "" (index . 1)) -}}
{{- $found := regexFind ":[0-9]+" (regexReplaceAll "^[^:]*://([^@/]*@)?" . "") -}}
{{- $ports = append $ports (int (default $default (trimPrefix ":" $found))) -}}
{{- end }}
- ports:
    {{- range uniq $ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- end -}}
