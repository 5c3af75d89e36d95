{{/* What cannot work: lists of sentences, as JSON. Each names the value and the fix, none repeats a secret. */}}

{{- define "parley.wrong.secrets" -}}
{{- $secrets := .Values.secrets -}}{{- $wrong := list -}}
{{- $generate := "make one with: openssl rand -hex 32" -}}
{{- range $name := list "authToken" "authTokenNext" "webhookSharedKeys" "hashKey" "secretKey" "apiKey" -}}
{{- if and $secrets.existingSecret (index $secrets $name) -}}
{{- $wrong = append $wrong (printf "secrets.existingSecret and secrets.%s are both set: keep one of them" $name) -}}
{{- end -}}
{{- end -}}
{{- if not $secrets.existingSecret -}}
{{- if not $secrets.authToken -}}
{{- $wrong = append $wrong "secrets.authToken is empty: set it to the Auth Token of the Twilio Console, or secrets.existingSecret to the name of a Secret that holds it" -}}
{{- end -}}
{{- range $name := list "hashKey" "secretKey" "apiKey" -}}
{{- $given := index $secrets $name -}}
{{- if not $given -}}
{{- $wrong = append $wrong (printf "secrets.%s is empty: %s (or name a Secret that holds it in secrets.existingSecret)" $name $generate) -}}
{{- else -}}
{{- range splitList "," (ternary $given (replace "," "" $given) (eq $name "secretKey")) -}}
{{- if lt (len (trim .)) 32 -}}
{{- $wrong = append $wrong (printf "secrets.%s is shorter than 32 characters: %s" $name $generate) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $secrets.hashKey (eq $secrets.hashKey $secrets.secretKey) -}}
{{- $wrong = append $wrong "secrets.hashKey and secrets.secretKey are the same: the one never changes, the other is rotated, so make two" -}}
{{- end -}}
{{- end -}}
{{- with .Values.status.database -}}
{{- if and .existingSecret .url -}}
{{- $wrong = append $wrong "status.database.existingSecret and status.database.url are both set: keep one of them" -}}
{{- end -}}
{{- if and .url (not (regexMatch "^(postgres|postgresql|postgresql[+]psycopg)://" .url)) -}}
{{- $wrong = append $wrong "status.database.url is not for PostgreSQL: write postgresql://user:password@host/database, or leave it empty for SQLite on a volume" -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end -}}

{{- define "parley.wrong.channel" -}}
{{- $channel := .Values.channel -}}{{- $wrong := list -}}
{{- if not $channel.accountSid -}}
{{- $wrong = append $wrong "channel.accountSid is empty: set it to the Account SID of the Twilio Console, AC and 32 hex digits" -}}
{{- end -}}
{{- if not (or $channel.phoneNumbers $channel.messagingServiceSid) -}}
{{- $wrong = append $wrong "channel.phoneNumbers is empty: name your number, as in [\"+15551234567\"], or set channel.messagingServiceSid" -}}
{{- end -}}
{{- range $name := list "phoneNumbers" "allowedUsers" -}}
{{- range index $channel $name -}}
{{- if not (kindIs "string" .) -}}
{{- $wrong = append $wrong (printf "channel.%s holds a number, which has lost its +: put it in quotes, or use --set-string on the command line" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.simulator.enabled $channel.apiBaseUrl -}}
{{- $wrong = append $wrong "simulator.enabled and channel.apiBaseUrl are both set: a release speaks with the simulator or with Twilio, so take one out" -}}
{{- end -}}
{{- if and .Values.simulator.enabled (contains ":" (join "," $channel.phoneNumbers)) -}}
{{- $wrong = append $wrong "channel.phoneNumbers has a sender of WhatsApp, which the simulator does not play: name numbers like \"+15550100000\" alone" -}}
{{- end -}}
{{- $url := .Values.publicUrl -}}
{{- if not $url -}}
{{- if not .Values.simulator.enabled -}}
{{- $wrong = append $wrong "publicUrl is empty: set it to the address at which Twilio reaches ingress, like https://sms.example.com; Twilio signs it, so it cannot be guessed" -}}
{{- end -}}
{{- else -}}
{{- if not (regexMatch "^https?://[^/?#@]+(/[^?#]*)?$" $url) -}}
{{- $wrong = append $wrong (printf "publicUrl is %q: write http:// or https://, a host, and no query, fragment or user, like https://sms.example.com" $url) -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end -}}

{{- define "parley.wrong.nats" -}}
{{- $nats := .Values.nats -}}{{- $wrong := list -}}
{{- if and $nats.embedded.enabled $nats.external.url -}}
{{- $wrong = append $wrong "nats.external.url and nats.embedded.enabled are both set: set nats.embedded.enabled=false to use yours, or take the url out" -}}
{{- end -}}
{{- if not (or $nats.embedded.enabled $nats.external.url) -}}
{{- $wrong = append $wrong "there is no NATS: set nats.external.url, or nats.embedded.enabled=true for the one that comes with the chart" -}}
{{- end -}}
{{- if contains "@" $nats.external.url -}}
{{- $wrong = append $wrong "nats.external.url holds credentials, which everybody could read in a ConfigMap: put them in a Secret and name it in nats.external.credentialsSecret" -}}
{{- end -}}
{{- $replicas := int $nats.embedded.replicas -}}
{{- if $nats.embedded.enabled -}}
{{- if not (has $replicas (list 1 3 5)) -}}
{{- $wrong = append $wrong (printf "nats.embedded.replicas is %d: write 1, 3 or 5, since only an odd number has a majority worth its cost" $replicas) -}}
{{- else if gt (int .Values.streams.replicas) $replicas -}}
{{- $wrong = append $wrong (printf "streams.replicas is %d, and there are %d NATS servers: write 0, for as many as there can be, or raise nats.embedded.replicas" (int .Values.streams.replicas) $replicas) -}}
{{- end -}}
{{- /* What the broker reserves: five streams of files, and the bucket of media. */ -}}
{{- $reserved := add (mul 5 (int64 .Values.streams.maxBytes)) (int64 .Values.streams.mediaMaxBytes) -}}
{{- $room := int64 (include "parley.nats.maxFileStore" .) -}}
{{- if gt $reserved $room -}}
{{- $wrong = append $wrong (printf "streams.maxBytes and streams.mediaMaxBytes reserve %d MiB (five streams and the media), and nats.embedded.storage has room for %d MiB: lower them, or raise nats.embedded.storage.size" (div $reserved 1048576) (div $room 1048576)) -}}
{{- end -}}
{{- if lt (int64 (include "parley.nats.bytes" (list $nats.embedded.maxMemoryStore "nats.embedded.maxMemoryStore"))) 268435456 -}}
{{- $wrong = append $wrong "nats.embedded.maxMemoryStore is less than 256Mi, which the stream of leases reserves: write more" -}}
{{- end -}}
{{- end -}}
{{- range $name := list "agent" "egress" -}}
{{- $keda := (index $.Values $name).keda -}}
{{- if and $keda.enabled (not $nats.embedded.enabled) (not $nats.external.monitor.endpoint) (not $keda.prometheus.serverAddress) -}}
{{- $wrong = append $wrong (printf "%s.keda has nothing to scale by: set nats.external.monitor.endpoint to the host:8222 of your NATS, or %s.keda.prometheus.serverAddress" $name $name) -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end -}}

{{- define "parley.wrong.numbers" -}}
{{- $wrong := list -}}{{- $v := .Values -}}
{{- range $name := list "ingress" "agent" "egress" "status" -}}
{{- $own := index $v $name -}}{{- $keda := default dict $own.keda -}}
{{- if and $own.autoscaling.enabled $keda.enabled -}}
{{- $wrong = append $wrong (printf "%s.autoscaling and %s.keda are both enabled: two would decide on one number, so disable one" $name $name) -}}
{{- end -}}
{{- if gt (int (include "parley.leastReplicas" (list $ $name))) (int (include "parley.mostReplicas" (list $ $name))) -}}
{{- $wrong = append $wrong (printf "%s has more minReplicas than maxReplicas: lower the one or raise the other" $name) -}}
{{- end -}}
{{- if and $keda.enabled (gt (int (default dict $keda.fallback).replicas) (int $keda.maxReplicas)) -}}
{{- $wrong = append $wrong (printf "%s.keda.fallback.replicas is more than %s.keda.maxReplicas: lower it" $name $name) -}}
{{- end -}}
{{- end -}}
{{- if and (not (include "parley.postgresql" .)) (or $v.status.autoscaling.enabled (gt (int $v.status.replicas) 1)) -}}
{{- $wrong = append $wrong "status can have one replica with SQLite, and no autoscaling: name a PostgreSQL in status.database.existingSecret, or set status.replicas=1 and status.autoscaling.enabled=false" -}}
{{- end -}}
{{- $set := $v.egress.settings -}}
{{- if lt (float64 $set.settleSeconds) (addf (float64 $set.twilioTimeoutSeconds) 6.0) -}}
{{- $wrong = append $wrong "egress.settings.settleSeconds is too short: a text still on its way would be sent again; write at least egress.settings.twilioTimeoutSeconds and 6" -}}
{{- end -}}
{{- if lt (float64 $v.egress.graceSeconds) (addf (float64 $set.twilioTimeoutSeconds) 5.0) -}}
{{- $wrong = append $wrong "egress.graceSeconds is too short for a request to Twilio to end: write at least egress.settings.twilioTimeoutSeconds and 5, or every restart leaves parts in doubt" -}}
{{- end -}}
{{- if lt (float64 $v.ingress.graceSeconds) (addf (float64 $v.ingress.settings.ackBudgetSeconds) 2.0) -}}
{{- $wrong = append $wrong "ingress.graceSeconds is too short for a webhook to be answered: write at least ingress.settings.ackBudgetSeconds and 2" -}}
{{- end -}}
{{- if ge (float64 $v.ingress.settings.ackBudgetSeconds) 15.0 -}}
{{- $wrong = append $wrong "ingress.settings.ackBudgetSeconds is 15 or more: Twilio gives up after 15 s and would never hear the 503, so write less" -}}
{{- end -}}
{{- if and $v.streams.mediaMaxAgeSeconds (lt (int64 $v.streams.mediaMaxAgeSeconds) 86400) -}}
{{- $wrong = append $wrong "streams.mediaMaxAgeSeconds is less than a day: Twilio may fetch a file twelve hours after it was sent, so write at least 86400, or 0" -}}
{{- end -}}
{{- $agents := 0 -}}
{{- range list "files" "existingConfigMap" "existingClaim" -}}{{- if index $v.agent . -}}{{- $agents = add1 $agents -}}{{- end -}}{{- end -}}
{{- if gt (int $agents) 1 -}}
{{- $wrong = append $wrong "more than one of agent.files, agent.existingConfigMap and agent.existingClaim is set: keep one" -}}
{{- end -}}
{{- if and $v.agent.files (not (hasKey $v.agent.files $v.agent.file)) -}}
{{- $wrong = append $wrong (printf "agent.file is %q, and agent.files has no such file: name one of %s" $v.agent.file (keys $v.agent.files | sortAlpha | join ", ")) -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end -}}

{{- define "parley.wrong.http" -}}
{{- $http := .Values.http -}}{{- $wrong := list -}}
{{- $path := include "parley.publicPath" . -}}
{{- range $where, $block := dict "http" $http "http.inbox" $http.inbox -}}
{{- if and $block.ingress.enabled $block.route.enabled -}}
{{- $wrong = append $wrong (printf "%s.ingress and %s.route are both enabled: two would lead the same host, so disable one" $where $where) -}}
{{- end -}}
{{- if and $block.route.enabled (not $block.route.parentRefs) -}}
{{- $wrong = append $wrong (printf "%s.route.parentRefs is empty: name your Gateway, as in [{name: public, namespace: gateways}]" $where) -}}
{{- end -}}
{{- end -}}
{{- if and $http.ingress.enabled $path -}}
{{- $wrong = append $wrong (printf "publicUrl has the path %s, which an Ingress cannot take off: use http.route, or a host without a path" $path) -}}
{{- end -}}
{{- if or $http.inbox.ingress.enabled $http.inbox.route.enabled -}}
{{- if not $http.inbox.host -}}
{{- $wrong = append $wrong "http.inbox.host is empty: name the host of the status API and the inbox, like inbox.example.com" -}}
{{- else if eq $http.inbox.host (include "parley.publicHost" .) -}}
{{- $wrong = append $wrong "http.inbox.host is the host of publicUrl: the inbox is for other people, so give it a host of its own" -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end -}}
