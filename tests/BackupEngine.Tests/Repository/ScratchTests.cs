#pragma warning disable xUnit1051
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests;

public sealed class ScratchTests(ITestOutputHelper output)
{
    private sealed class Mem(byte[] bytes, bool zeroed = false) : IWritableVolume
    {
        public byte[] Bytes => bytes;
        public string Name => "mem";
        public long SizeBytes => bytes.Length;
        public bool IsZeroed => zeroed;
        public ValueTask ReadAsync(Memory<byte> d, long o, CancellationToken c = default) { bytes.AsSpan((int)o, d.Length).CopyTo(d.Span); return default; }
        public ValueTask<VolumeExtent?> FindAllocatedAsync(long o, CancellationToken c = default)
        {
            int i = (int)(o / 4096) * 4096;
            for (; i < bytes.Length; i += 4096)
                if (bytes.AsSpan(i, Math.Min(4096, bytes.Length - i)).ContainsAnyExcept((byte)0))
                {
                    int j = i;
                    while (j < bytes.Length && bytes.AsSpan(j, Math.Min(4096, bytes.Length - j)).ContainsAnyExcept((byte)0)) j += 4096;
                    long s = Math.Max(i, o);
                    return ValueTask.FromResult<VolumeExtent?>(new VolumeExtent(s, Math.Min(j, bytes.Length) - s));
                }
            return ValueTask.FromResult<VolumeExtent?>(null);
        }
        public ValueTask WriteAsync(ReadOnlyMemory<byte> s, long o, CancellationToken c = default) { s.Span.CopyTo(bytes.AsSpan((int)o)); return default; }
        public ValueTask WriteZerosAsync(long o, long l, CancellationToken c = default) { bytes.AsSpan((int)o, (int)l).Clear(); return default; }
        public ValueTask FlushAsync(CancellationToken c = default) => default;
        public ValueTask DisposeAsync() => default;
    }

    [Fact]
    public async Task Smoke()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var rnd = new Random(seed);
        await using var store = new InMemoryObjectStore();
        var repo = await BackupRepository.OpenOrCreateAsync(store, cancellationToken: TestContext.Current.CancellationToken);
        byte[] content = new byte[40_000_001];
        rnd.NextBytes(content.AsSpan(0, 9_000_000));
        for (int i = 12_000_000; i < 30_000_000; i++) content[i] = (byte)(i / 1000);
        var versions = new List<(Guid, byte[])>();
        for (int v = 0; v < 45; v++)
        {
            var b = await repo.BackupAsync(new Mem(content), new BackupOptions { VolumeId = "v", Incremental = v > 0, ChunkSize = v == 0 ? 8192 : null });
            versions.Add((b.Id, (byte[])content.Clone()));
            for (int k = 0; k < 5; k++)
            {
                int o = rnd.Next(content.Length), l = Math.Min(rnd.Next(100_000), content.Length - o);
                if (k % 2 == 0) content.AsSpan(o, l).Clear(); else rnd.NextBytes(content.AsSpan(o, l));
            }
            if (v % 7 == 3) Array.Resize(ref content, rnd.Next(1, 45_000_000));
            if (v is 0 or 44) output.WriteLine(b.ToString());
        }
        foreach (var (id, bytes) in versions)
        {
            foreach (bool diff in new[] { false, true })
            {
                byte[] target = new byte[bytes.Length + 5];
                rnd.NextBytes(target);
                byte[] tail = target[^5..];
                await repo.RestoreAsync(id, new Mem(target), new RestoreOptions { Differential = diff });
                Assert.True(target.AsSpan(0, bytes.Length).SequenceEqual(bytes));
                Assert.Equal(tail, target[^5..]);
            }
            byte[] fresh = new byte[bytes.Length];
            await repo.RestoreAsync(id, new Mem(fresh, true));
            Assert.True(fresh.AsSpan().SequenceEqual(bytes));
            using var s = await repo.OpenReadAsync(id);
            var ms = new MemoryStream();
            await s.CopyToAsync(ms);
            Assert.True(ms.ToArray().AsSpan().SequenceEqual(bytes));
        }
        var report = await repo.VerifyAsync(new VerifyOptions { Deep = true });
        output.WriteLine(report.ToString() + string.Join("\n", report.Findings));
        Assert.Empty(report.Findings);
        foreach (var (id, _) in Enumerable.Reverse(versions)) await repo.DeleteAsync(id);
        await foreach (var o in store.ListAsync("")) Assert.Equal("backup-engine.json", o.Key);
        output.WriteLine(repo.Requests.ToString());
    }
}
