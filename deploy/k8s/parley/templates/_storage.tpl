{{/* (list $ "status" storage keep): a volume claim. What is kept outlives helm uninstall. */}}
{{- define "parley.claim" }}
{{- $root := index . 0 }}{{ $component := index . 1 }}{{ $storage := index . 2 }}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "parley.name" (list $root $component) | quote }}
  namespace: {{ $root.Release.Namespace | quote }}
  labels:
    {{- include "parley.labels" (list $root $component) | nindent 4 }}
  {{- if index . 3 }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with $storage.className }}
  storageClassName: {{ . | quote }}
  {{- end }}
  resources:
    requests:
      storage: {{ $storage.size | quote }}
{{- end -}}
