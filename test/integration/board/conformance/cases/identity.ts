/** Names, hosts and resolv.conf of a pod. */
import type { Case } from '../wave.ts';

const IP = { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } };

export const IDENTITY: Case[] = [
  {
    rule: 'hostAliases are in /etc/hosts, with the pod’s own line',
    containers: [
      {
        sh: 'grep -c "^$IP.{pod}$" /etc/hosts; grep 123.45.67.89 /etc/hosts; grep managed /etc/hosts',
        env: [IP],
      },
    ],
    spec: { hostAliases: [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }] },
    prints: /123\.45\.67\.89\tfoo\tbar\n# Kubernetes-managed hosts file\.\n/,
  },
  {
    rule: 'a container that mounts its own /etc/hosts has its own',
    containers: [{ sh: 'cat /etc/hosts', volumeMounts: [{ name: 'hosts', mountPath: '/etc/hosts' }] }],
    spec: { volumes: [{ name: 'hosts', hostPath: { path: '/etc/hostname' } }] },
    prints: /^(?!# Kubernetes-managed)/,
  },
  { rule: 'hostname is the pod’s name', containers: [{ sh: 'hostname' }], prints: '{pod}\n' },
  {
    rule: 'hostname and subdomain make a name',
    containers: [{ sh: 'hostname; hostname -f' }],
    spec: { hostname: 'own', subdomain: 'sub' },
    prints: 'own\nown.sub.default.svc.cluster.local\n',
  },
  {
    rule: 'setHostnameAsFQDN makes it the name',
    containers: [{ sh: 'hostname' }],
    spec: { hostname: 'own', subdomain: 'sub', setHostnameAsFQDN: true },
    prints: 'own.sub.default.svc.cluster.local\n',
  },
  {
    rule: 'hostnameOverride is the whole name, whatever else is said',
    containers: [{ sh: 'hostname; hostname -f; cat /etc/hostname' }],
    spec: { hostname: 'own', subdomain: 'sub', hostnameOverride: 'override.example.host' },
    prints: 'override.example.host\noverride.example.host\noverride.example.host\n',
  },
  {
    rule: 'resolv.conf is made of dnsConfig alone',
    containers: [{ sh: 'cat /etc/resolv.conf' }],
    spec: {
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['1.1.1.1'],
        searches: ['resolv.conf.local'],
        options: [{ name: 'ndots', value: '2' }],
      },
    },
    prints: 'search resolv.conf.local\nnameserver 1.1.1.1\noptions ndots:2\n',
  },
];
