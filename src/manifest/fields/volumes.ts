/** Volumes and their sources. */
import { type FieldTable, many, strict, yes } from './field.ts';

const NETWORK = 'network and plug-in storage is not available; mount it on the device and use hostPath';
const LEGACY = 'legacy storage is not available';

export const Volume: FieldTable = {
  name: yes('a DNS label, unique in the pod'),
  emptyDir: yes('what a volume without a source is'),
  ...many('hostPath configMap secret downwardAPI', yes()),
  projected: yes('the `kube-api-access-…` one that a cluster adds to its pods is left out, with a warning'),
  image: yes(),
  persistentVolumeClaim: strict('there is no storage to claim from; use hostPath'),
  ...many('ephemeral csi nfs iscsi fc', strict(NETWORK)),
  ...many('gitRepo awsElasticBlockStore azureDisk azureFile cephfs cinder', strict(LEGACY)),
  ...many('flexVolume flocker gcePersistentDisk glusterfs', strict(LEGACY)),
  ...many('photonPersistentDisk portworxVolume quobyte rbd', strict(LEGACY)),
  ...many('scaleIO storageos vsphereVolume', strict(LEGACY)),
};

export const EmptyDirVolumeSource: FieldTable = {
  medium: yes('`""` (disk, default) or `Memory`'),
  sizeLimit: yes('a quantity; the size of the tmpfs with `Memory`'),
};

export const HostPathVolumeSource: FieldTable = {
  path: yes('an absolute path without `..`'),
  type: yes('`""`, `DirectoryOrCreate`, `Directory`, `FileOrCreate`, `File`, `Socket`, `CharDevice`, `BlockDevice`'),
};

const MODE = yes('0644 by default; in JSON a decimal number');
const ITEMS = yes('every key when absent');

export const ConfigMapVolumeSource: FieldTable = {
  name: yes('of an object in the namespace of the pod'),
  items: ITEMS,
  optional: yes(),
  defaultMode: MODE,
};

export const SecretVolumeSource: FieldTable = {
  secretName: yes('of an object in the namespace of the pod'),
  items: ITEMS,
  optional: yes(),
  defaultMode: MODE,
};

export const KeyToPath: FieldTable = {
  key: yes(),
  path: yes('relative, without `..`'),
  mode: yes('0 to 0777'),
};

export const DownwardAPIVolumeSource: FieldTable = {
  items: yes(),
  defaultMode: MODE,
};

export const DownwardAPIVolumeFile: FieldTable = {
  path: yes('relative, without `..`'),
  ...many('fieldRef resourceFieldRef', yes('exactly one')),
  mode: yes('0 to 0777'),
};

export const ProjectedVolumeSource: FieldTable = {
  sources: yes(),
  defaultMode: MODE,
};

export const VolumeProjection: FieldTable = {
  ...many('configMap secret downwardAPI', yes('exactly one')),
  serviceAccountToken: strict('there is no API server for the pod to talk to'),
  ...many('clusterTrustBundle podCertificate', strict('there is no API server to have it from')),
};

const PROJECTION: FieldTable = {
  name: yes('of an object in the namespace of the pod'),
  items: ITEMS,
  optional: yes(),
};

export const ConfigMapProjection: FieldTable = PROJECTION;
export const SecretProjection: FieldTable = PROJECTION;

export const DownwardAPIProjection: FieldTable = {
  items: yes(),
};

export const ImageVolumeSource: FieldTable = {
  reference: yes('an image, mounted read-only'),
  pullPolicy: yes('as `imagePullPolicy` of a container'),
};
