import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hostnameFile, hostsFile, parseResolv, resolvConf } from '../../../src/runtime/identity-files.ts';

const nodeHosts = '127.0.0.1 localhost board-7\n';

describe('hosts', () => {
  test('of a pod, as the kubelet writes it', () =>
    assert.equal(
      hostsFile({ hostname: 'web', ip: '10.88.0.5', nodeHosts }),
      '# Kubernetes-managed hosts file.\n' +
        '127.0.0.1\tlocalhost\n' +
        '::1\tlocalhost ip6-localhost ip6-loopback\n' +
        'fe00::0\tip6-localnet\n' +
        'fe00::0\tip6-mcastprefix\n' +
        'fe00::1\tip6-allnodes\n' +
        'fe00::2\tip6-allrouters\n' +
        '10.88.0.5\tweb\n',
    ));
  test('the fully qualified name comes first', () =>
    assert.ok(
      hostsFile({ hostname: 'web', fqdn: 'web.sub', ip: '10.88.0.5', nodeHosts }).endsWith('10.88.0.5\tweb.sub\tweb\n'),
    ));
  test('with hostNetwork it is the node’s', () =>
    assert.equal(
      hostsFile({ hostname: 'web', nodeHosts }),
      `# Kubernetes-managed hosts file (host network).\n${nodeHosts}`,
    ));
  test('aliases come last', () =>
    assert.ok(
      hostsFile({
        hostname: 'w',
        ip: '10.88.0.5',
        nodeHosts,
        aliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }],
      }).endsWith('10.88.0.5\tw\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n'),
    ));
  test('hostname', () => assert.equal(hostnameFile('web'), 'web\n'));
});

describe('resolv.conf', () => {
  const nodeResolv =
    '# a comment\nsearch lan example.org\nnameserver 192.0.2.53\nnameserver 192.0.2.54\noptions edns0 ndots:2\n';
  const stub = 'nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n';
  const base = { hostNetwork: false, nodeResolv };

  test('ClusterFirst without cluster DNS is the node’s', () =>
    assert.equal(
      resolvConf({ ...base, dnsPolicy: 'ClusterFirst' }),
      'search lan example.org\nnameserver 192.0.2.53\nnameserver 192.0.2.54\noptions edns0 ndots:2\n',
    ));
  test('a stub on loopback is replaced by what it forwards to', () =>
    assert.equal(
      resolvConf({ hostNetwork: false, nodeResolv: stub, upstreamResolv: 'nameserver 192.0.2.1\nsearch home\n' }),
      'search home\nnameserver 192.0.2.1\noptions edns0 trust-ad\n',
    ));
  test('a stub whose upstream is unknown is left out rather than pointed at the pod itself', () =>
    assert.equal(resolvConf({ hostNetwork: false, nodeResolv: stub }), 'search lan\noptions edns0 trust-ad\n'));
  test('with hostNetwork the stub works and stays', () =>
    assert.match(resolvConf({ hostNetwork: true, nodeResolv: stub, upstreamResolv: '' }), /nameserver 127\.0\.0\.53/));
  test('None takes only dnsConfig', () =>
    assert.equal(
      resolvConf({ ...base, dnsPolicy: 'None', dnsConfig: { nameservers: ['9.9.9.9'], searches: ['x.y'] } }),
      'search x.y\nnameserver 9.9.9.9\n',
    ));
  test('dnsConfig is added; its options win by name', () =>
    assert.equal(
      resolvConf({
        ...base,
        dnsConfig: {
          nameservers: ['192.0.2.53', '9.9.9.9', '8.8.8.8'],
          searches: ['own'],
          options: [{ name: 'ndots', value: '5' }, { name: 'rotate' }],
        },
      }),
      'search lan example.org own\nnameserver 192.0.2.53\nnameserver 192.0.2.54\nnameserver 9.9.9.9\noptions edns0 ndots:5 rotate\n',
    ));
  test('nothing known gives an empty file', () => assert.equal(resolvConf({ hostNetwork: false, nodeResolv: '' }), ''));
  test('the last search or domain line counts, "." is none', () =>
    assert.deepEqual(parseResolv('search a\ndomain b\n; x\nsearch c . d').searches, ['c', 'd']));
  test('search list is cut to 2048 characters', () => {
    const searches = Array.from({ length: 20 }, (_, n) => `${String(n).padStart(3, '0')}.${'x'.repeat(150)}`);
    const [line = ''] = resolvConf({ ...base, dnsPolicy: 'None', dnsConfig: { searches } }).split('\n');
    assert.ok(line.length <= 'search '.length + 2048);
  });
});
