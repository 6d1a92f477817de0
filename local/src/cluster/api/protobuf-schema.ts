/** A field of a message: its JSON name, and how it is encoded. */
export interface FieldSchema {
  /** `''` for a message whose fields are the outer one's own in JSON. */
  readonly name: string;
  readonly isList: boolean;
  /** Whether Go has a pointer for it: then a zero was meant, and else it was not said. */
  readonly isOptional: boolean;
  /**
   * A message, or `s` string, `i` integer, `b` boolean, `y` bytes, `m` map of strings, `d` map of
   * bytes, `-` nothing that is wanted.
   */
  readonly type: string;
}

// One message a line: NUMBER:NAME:TYPE, `*` for a list, `?` for a pointer. Read off the struct tags
// of k8s.io/api and k8s.io/apimachinery v0.36.1; no more than what `kubectl create` sends by itself.
const table = `
  AggregationRule 1:clusterRoleSelectors:*LabelSelector
  BoundObjectReference 1:kind:s 2:apiVersion:s 3:name:s 4:uid:s
  ClusterRole 1:metadata:ObjectMeta 2:rules:*PolicyRule 3:aggregationRule:AggregationRule
  ClusterRoleBinding 1:metadata:ObjectMeta 2:subjects:*Subject 3:roleRef:RoleRef
  ConfigMap 1:metadata:ObjectMeta 4:immutable:?b 2:data:m 3:binaryData:d
  ConfigMapEnvSource 1::LocalObjectReference 2:optional:?b
  ConfigMapKeySelector 1::LocalObjectReference 2:key:s 3:optional:?b
  ConfigMapVolumeSource 1::LocalObjectReference 2:items:*KeyToPath 3:defaultMode:?i 4:optional:?b
  Container 1:name:s 2:image:s 3:command:*s 4:args:*s 5:workingDir:s 6:ports:*ContainerPort 19:envFrom:*EnvFromSource 7:env:*EnvVar 24:restartPolicy:?s 9:volumeMounts:*VolumeMount 13:terminationMessagePath:s 20:terminationMessagePolicy:s 14:imagePullPolicy:s 16:stdin:b 17:stdinOnce:b 18:tty:b
  ContainerPort 1:name:s 2:hostPort:i 3:containerPort:i 4:protocol:s 5:hostIP:s
  DeleteOptions 1:gracePeriodSeconds:?i 2:preconditions:Preconditions 3:orphanDependents:?b 4:propagationPolicy:?s 5:dryRun:*s
  Deployment 1:metadata:ObjectMeta 2:spec:DeploymentSpec 3:status:-
  DeploymentSpec 1:replicas:?i 2:selector:LabelSelector 3:template:PodTemplateSpec 4:strategy:DeploymentStrategy 5:minReadySeconds:i 6:revisionHistoryLimit:?i 7:paused:b 9:progressDeadlineSeconds:?i
  DeploymentStrategy 1:type:s
  EmptyDirVolumeSource 1:medium:s 2:sizeLimit:Quantity
  EnvFromSource 1:prefix:s 2:configMapRef:ConfigMapEnvSource 3:secretRef:SecretEnvSource
  EnvVar 1:name:s 2:value:s 3:valueFrom:EnvVarSource
  EnvVarSource 1:fieldRef:ObjectFieldSelector 3:configMapKeyRef:ConfigMapKeySelector 4:secretKeyRef:SecretKeySelector
  KeyToPath 1:key:s 2:path:s 3:mode:?i
  LabelSelector 1:matchLabels:m 2:matchExpressions:*LabelSelectorRequirement
  LabelSelectorRequirement 1:key:s 2:operator:s 3:values:*s
  LocalObjectReference 1:name:s
  LocalSubjectAccessReview 1:metadata:ObjectMeta 2:spec:SubjectAccessReviewSpec 3:status:-
  Namespace 1:metadata:ObjectMeta 2:spec:NamespaceSpec 3:status:-
  NamespaceSpec 1:finalizers:*s
  NonResourceAttributes 1:path:s 2:verb:s
  ObjectFieldSelector 1:apiVersion:s 2:fieldPath:s
  ObjectMeta 1:name:s 2:generateName:s 3:namespace:s 4:selfLink:s 5:uid:s 6:resourceVersion:s 7:generation:i 8:creationTimestamp:Time 9:deletionTimestamp:Time 10:deletionGracePeriodSeconds:?i 11:labels:m 12:annotations:m 13:ownerReferences:*OwnerReference 14:finalizers:*s
  ObjectReference 1:kind:s 2:namespace:s 3:name:s 4:uid:s 5:apiVersion:s 6:resourceVersion:s 7:fieldPath:s
  OwnerReference 5:apiVersion:s 1:kind:s 3:name:s 4:uid:s 6:controller:?b 7:blockOwnerDeletion:?b
  PodSpec 1:volumes:*Volume 20:initContainers:*Container 2:containers:*Container 3:restartPolicy:s 4:terminationGracePeriodSeconds:?i 5:activeDeadlineSeconds:?i 6:dnsPolicy:s 7:nodeSelector:m 8:serviceAccountName:s 9:serviceAccount:s 21:automountServiceAccountToken:?b 10:nodeName:s 11:hostNetwork:b 12:hostPID:b 13:hostIPC:b 27:shareProcessNamespace:?b 15:imagePullSecrets:*LocalObjectReference 16:hostname:s 17:subdomain:s 19:schedulerName:s 24:priorityClassName:s 25:priority:?i 29:runtimeClassName:?s 30:enableServiceLinks:?b 31:preemptionPolicy:?s 35:setHostnameAsFQDN:?b 37:hostUsers:?b 40:resources:ResourceRequirements
  PodTemplateSpec 1:metadata:ObjectMeta 2:spec:PodSpec
  PolicyRule 1:verbs:*s 2:apiGroups:*s 3:resources:*s 4:resourceNames:*s 5:nonResourceURLs:*s
  Preconditions 1:uid:s 2:resourceVersion:?s
  ResourceAttributes 1:namespace:s 2:verb:s 3:group:s 4:version:s 5:resource:s 6:subresource:s 7:name:s
  ResourceClaim 1:name:s 2:request:s
  ResourceRequirements 1:limits:s 2:requests:s 3:claims:*ResourceClaim
  Role 1:metadata:ObjectMeta 2:rules:*PolicyRule
  RoleBinding 1:metadata:ObjectMeta 2:subjects:*Subject 3:roleRef:RoleRef
  RoleRef 1:apiGroup:s 2:kind:s 3:name:s
  Secret 1:metadata:ObjectMeta 5:immutable:?b 2:data:d 4:stringData:m 3:type:s
  SecretEnvSource 1::LocalObjectReference 2:optional:?b
  SecretKeySelector 1::LocalObjectReference 2:key:s 3:optional:?b
  SecretVolumeSource 1:secretName:s 2:items:*KeyToPath 3:defaultMode:?i 4:optional:?b
  SelfSubjectAccessReview 1:metadata:ObjectMeta 2:spec:SelfSubjectAccessReviewSpec 3:status:-
  SelfSubjectAccessReviewSpec 1:resourceAttributes:ResourceAttributes 2:nonResourceAttributes:NonResourceAttributes
  SelfSubjectReview 1:metadata:ObjectMeta 2:status:-
  SelfSubjectRulesReview 1:metadata:ObjectMeta 2:spec:SelfSubjectRulesReviewSpec 3:status:-
  SelfSubjectRulesReviewSpec 1:namespace:s
  Service 1:metadata:ObjectMeta 2:spec:ServiceSpec 3:status:-
  ServiceAccount 1:metadata:ObjectMeta 2:secrets:*ObjectReference 3:imagePullSecrets:*LocalObjectReference 4:automountServiceAccountToken:?b
  ServicePort 1:name:s 2:protocol:s 6:appProtocol:?s 3:port:i 4:targetPort:IntOrString 5:nodePort:i
  ServiceSpec 1:ports:*ServicePort 2:selector:m 3:clusterIP:s 18:clusterIPs:*s 4:type:s 5:externalIPs:*s 7:sessionAffinity:s 8:loadBalancerIP:s 9:loadBalancerSourceRanges:*s 10:externalName:s 11:externalTrafficPolicy:s 12:healthCheckNodePort:i 13:publishNotReadyAddresses:b 19:ipFamilies:*s 17:ipFamilyPolicy:?s 20:allocateLoadBalancerNodePorts:?b 21:loadBalancerClass:?s 22:internalTrafficPolicy:?s 23:trafficDistribution:?s
  Subject 1:kind:s 2:apiGroup:s 3:name:s 4:namespace:s
  SubjectAccessReview 1:metadata:ObjectMeta 2:spec:SubjectAccessReviewSpec 3:status:-
  SubjectAccessReviewSpec 1:resourceAttributes:ResourceAttributes 2:nonResourceAttributes:NonResourceAttributes 3:user:s 4:groups:*s 6:uid:s
  TokenRequest 1:metadata:ObjectMeta 2:spec:TokenRequestSpec 3:status:-
  TokenRequestSpec 1:audiences:*s 4:expirationSeconds:?i 3:boundObjectRef:BoundObjectReference
  TokenReview 1:metadata:ObjectMeta 2:spec:TokenReviewSpec 3:status:-
  TokenReviewSpec 1:token:s 2:audiences:*s
  Volume 1:name:s 2::VolumeSource
  VolumeMount 1:name:s 2:readOnly:b 7:recursiveReadOnly:?s 3:mountPath:s 4:subPath:s 5:mountPropagation:?s 6:subPathExpr:s
  VolumeSource 2:emptyDir:EmptyDirVolumeSource 6:secret:SecretVolumeSource 19:configMap:ConfigMapVolumeSource
`;

const messages = new Map(
  table
    .trim()
    .split('\n')
    .map((line): [string, ReadonlyMap<number, FieldSchema>] => {
      const [name = '', ...fields] = line.trim().split(' ');
      return [name, new Map(fields.map(parseField))];
    }),
);

function parseField(text: string): [number, FieldSchema] {
  const [number, name = '', code = ''] = text.split(':');
  return [
    Number(number),
    {
      name,
      isList: code.startsWith('*'),
      isOptional: code.startsWith('?'),
      type: code.replace(/^[*?]/, ''),
    },
  ];
}

/** The fields of a message by their numbers; `undefined` for one that is not known here. */
export function messageSchema(name: string): ReadonlyMap<number, FieldSchema> | undefined {
  return messages.get(name);
}
