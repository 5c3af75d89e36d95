{{/* Who a component is to the broker. */}}

{{/* (list $ "declare"): the user of the embedded NATS; empty with an external one, whose Secret says it. */}}
{{- define "parley.natsUser" -}}
{{- if (index . 0).Values.nats.embedded.enabled -}}
{{- $component := index . 1 -}}
{{- ternary "operator" $component (has $component (list "cli" "backup")) -}}
{{- end -}}
{{- end -}}

{{/* (list $ "agent"): an inbox of its own, since a user of the embedded NATS may hear no other's. */}}
{{- define "parley.natsInboxPrefix" -}}
{{- if (index . 0).Values.nats.embedded.enabled -}}
{{- printf "_INBOX_%s" (include "parley.natsUser" .) -}}
{{- else -}}
{{- (index . 0).Values.nats.external.inboxPrefix -}}
{{- end -}}
{{- end -}}

{{/* "true" for a component that speaks with the broker. */}}
{{- define "parley.usesNats" -}}
{{- if has . (list "ingress" "agent" "egress" "status" "declare" "cli" "backup") -}}true{{- end -}}
{{- end -}}

{{/* (list $ "agent"): the password, as a list of variables. */}}
{{- define "parley.natsSecrets" -}}
{{- $root := index . 0 -}}{{- $nats := $root.Values.nats -}}
{{- if $nats.embedded.enabled }}
- name: NATS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ default (include "parley.name" (list $root "nats-users")) $nats.embedded.existingSecret | quote }}
      key: {{ include "parley.natsUser" . | quote }}
{{- else if and $nats.external.credentialsSecret (eq $nats.external.credentialsKind "user") }}
{{- range list "user" "password" }}
- name: {{ printf "NATS_%s" (upper .) }}
  valueFrom:
    secretKeyRef: {name: {{ $nats.external.credentialsSecret | quote }}, key: {{ . }}}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The files of the broker's credentials and certificates: a list of Secrets and which of their keys. */}}
{{- define "parley.natsFiles" -}}
{{- $embedded := .Values.nats.embedded -}}{{- $external := .Values.nats.external -}}
{{- if $embedded.enabled }}
{{- with $embedded.tls.secret }}
- {secret: {{ . | quote }}, keys: [ca.crt]}
{{- end }}
{{- else }}
{{- if and $external.credentialsSecret (ne $external.credentialsKind "user") }}
- {secret: {{ $external.credentialsSecret | quote }}, keys: [{{ $external.credentialsKind }}]}
{{- end }}
{{- with $external.tls.secret }}
- {secret: {{ . | quote }}, keys: {{ ternary (list "ca.crt" "tls.crt" "tls.key") (list "ca.crt") $external.tls.clientCertificate | toJson }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* (list $ "ca.crt"): the path of one of those in a pod, empty where there is none. */}}
{{- define "parley.natsFile" -}}
{{- $wanted := index . 1 -}}
{{- range fromYamlArray (include "parley.natsFiles" (index . 0)) -}}
{{- if has $wanted .keys -}}{{- printf "/nats/%s" $wanted -}}{{- end -}}
{{- end -}}
{{- end -}}

{{/* The volume with those files, as a list; one projected volume, since they may come from two Secrets. */}}
{{- define "parley.natsVolumes" -}}
{{- with fromYamlArray (include "parley.natsFiles" .) }}
- name: nats
  projected:
    defaultMode: 0440
    sources:
      {{- range . }}
      - secret:
          name: {{ .secret | quote }}
          items:
            {{- range .keys }}
            - {key: {{ . }}, path: {{ . }}}
            {{- end }}
      {{- end }}
{{- end }}
{{- end -}}

{{- define "parley.natsMounts" -}}
{{- if fromYamlArray (include "parley.natsFiles" .) }}
- {name: nats, mountPath: /nats, readOnly: true}
{{- end }}
{{- end -}}
