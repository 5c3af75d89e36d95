{{/*
The Deployment of a service, the toolbox or the simulator.

root, component: as everywhere. values: its block. command: what runs. replicas: how many, "" where something else
decides. strategy: without one a new pod is ready before an old one goes. probes: whether it serves /livez and /readyz.
volumes, mounts, envFrom, checksums: what it has beside what all have.
*/}}
{{- define "parley.workload" -}}
{{- $pod := dict "root" .root "component" .component "over" .values.deployment "envFrom" .envFrom -}}
{{- $_ := set $pod "checksums" (mergeOverwrite (fromYaml (include "parley.checksums" $pod)) (default dict .checksums)) -}}
{{- $deployment := .values.deployment -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "parley.name" (list .root .component) | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "parley.labels" (list .root .component) | nindent 4 }}
  {{- with $deployment.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if ne (toString .replicas) "" }}
  replicas: {{ int .replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    {{- toYaml (default (dict "type" "RollingUpdate" "rollingUpdate" (dict "maxSurge" 1 "maxUnavailable" 0)) .strategy) | nindent 4 }}
  selector:
    matchLabels:
      {{- include "parley.selectorLabels" (list .root .component) | nindent 6 }}
  template:
    metadata:
      {{- include "parley.podMetadata" $pod | trim | nindent 6 }}
    spec:
      {{- include "parley.podSettings" $pod | nindent 6 }}
      {{- include "parley.spread" (list .root .component $deployment) | nindent 6 }}
      terminationGracePeriodSeconds: {{ include "parley.terminationGracePeriodSeconds" (list .root .component) }}
      {{- with $deployment.initContainers }}
      initContainers:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "parley.image" (list .root .component) | quote }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          {{- with .command }}
          command: {{ toJson . }}
          {{- end }}
          {{- include "parley.environment" $pod | nindent 10 }}
          {{- if .probes }}
          ports:
            - {name: http, containerPort: {{ int .values.port }}, protocol: TCP}
          {{- include "parley.probes" . | nindent 10 }}
          {{- end }}
          {{- include "parley.lifecycle" (list .root .component) | nindent 10 }}
          resources:
            {{- toYaml .values.resources | nindent 12 }}
          securityContext:
            {{- include "parley.securityContext" .root | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- if include "parley.usesNats" .component }}
            {{- include "parley.natsMounts" .root | trim | nindent 12 }}
            {{- end }}
            {{- with concat (default list .mounts) $deployment.extraVolumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
        {{- with $deployment.extraContainers }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      volumes:
        - {name: tmp, emptyDir: {}}
        {{- if include "parley.usesNats" .component }}
        {{- include "parley.natsVolumes" .root | trim | nindent 8 }}
        {{- end }}
        {{- with concat (default list .volumes) $deployment.extraVolumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end -}}

{{/*
Alive is who serves /livez, whatever becomes of the broker: a restart would not mend that. Ready is who can do its
work. A minute is enough to import everything on a busy node.
*/}}
{{- define "parley.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 45
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}

{{/* (list $ "agent" deployment): over nodes where they can; the operator's own constraints get our selector. */}}
{{- define "parley.spread" -}}
{{- $root := index . 0 -}}
{{- $selector := dict "matchLabels" (fromYaml (include "parley.selectorLabels" .)) -}}
{{- $own := list (dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway") -}}
topologySpreadConstraints:
  {{- range default (default $own $root.Values.topologySpreadConstraints) (index . 2).topologySpreadConstraints }}
  - {{ merge (deepCopy .) (dict "labelSelector" $selector) | toJson }}
  {{- end }}
{{- end -}}
