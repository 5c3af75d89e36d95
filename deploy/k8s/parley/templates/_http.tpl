{{/* Routes of a host to a service: root, component, host, paths, and values, which is its block under http. */}}

{{- define "parley.ingress" }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ include "parley.name" (list .root .component) | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "parley.labels" (list .root .component) | nindent 4 }}
  {{- with .values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .values.className }}
  ingressClassName: {{ . | quote }}
  {{- end }}
  {{- with .values.tlsSecret }}
  tls:
    - {hosts: [{{ $.host | quote }}], secretName: {{ . | quote }}}
  {{- end }}
  rules:
    - host: {{ .host | quote }}
      http:
        paths:
          {{- range .paths }}
          - path: {{ . }}
            pathType: Prefix
            backend: {service: {name: {{ include "parley.name" (list $.root $.component) | quote }}, port: {name: http}}}
          {{- end }}
{{- end -}}

{{/* before: what stands before the paths in the public address, and is taken off on the way. */}}
{{- define "parley.route" }}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ include "parley.name" (list .root .component) | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "parley.labels" (list .root .component) | nindent 4 }}
  {{- with .values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  parentRefs:
    {{- toYaml .values.parentRefs | nindent 4 }}
  hostnames: [{{ .host | quote }}]
  rules:
    {{- range .paths }}
    - matches:
        - path: {type: PathPrefix, value: {{ print $.before . | quote }}}
      {{- if $.before }}
      filters:
        - type: URLRewrite
          urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: {{ . | quote }}}}
      {{- end }}
      backendRefs:
        - {name: {{ include "parley.name" (list $.root $.component) | quote }}, port: {{ int (index $.root.Values $.component).service.port }}}
    {{- end }}
{{- end -}}
