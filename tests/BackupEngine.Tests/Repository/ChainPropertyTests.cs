using BackupEngine.Catalog;
using BackupEngine.Compression;
using BackupEngine.Hashing;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Repository;

/// <summary>Random volumes, random chains of changes: every backup must come back bit for bit, whatever it is restored to.</summary>
public sealed class ChainPropertyTests(ITestOutputHelper output)
{
    private const int MaxBytes = 6_000_000;

    [LongRunning]
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Every_backup_of_a_random_chain_restores_to_every_kind_of_target(int round)
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        await using var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        BackupOptions first = NextOptions(random);
        output.WriteLine($"round {round}, seed {seed}: {first}");

        VolumeModel model = random.NextVolume(MaxBytes);
        var chain = new List<(Backup Backup, VolumeModel Model)>();
        for (int step = 0; step < 8; step++)
        {
            VolumeModel before = model.Clone();
            string change = step == 0 ? "full" : random.Mutate(model, MaxBytes);
            BackupOptions options = step == 0 ? first : first with { Incremental = true, ChunkSize = null, Hash = null, Compression = NextCompression(random) };
            if (step > 0 && random.Next(2) == 0)
                options = options with { ParentId = chain[^1].Backup.Id, ChangedExtents = Disorder(random, model.ChangesSince(before)) };
            Backup backup = await repository.BackupAsync(model.ToVolume(), options, cancellationToken: Repositories.Token);
            output.WriteLine($"{step}: {model.SizeBytes} bytes, {change}; read {backup.BytesRead}, changed {backup.BytesChanged}, stored {backup.BytesStored}");
            chain.Add((backup, model.Clone()));
        }

        foreach ((Backup backup, VolumeModel expected) in chain)
            await CheckRestoresAsync(repository, backup, expected.Content, random, $"seed {seed}, backup {chain.FindIndex(link => link.Backup == backup)}");

        VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.True(report.Findings.Count == 0, $"seed {seed}: {string.Join("; ", report.Findings)}");

        foreach ((Backup backup, _) in Enumerable.Reverse(chain))
            await repository.DeleteAsync(backup.Id, Repositories.Token);
        Assert.Equal([StoreKeys.Repository], await store.ListKeysAsync());
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_random_chain_restores_to_new_and_existing_files_and_to_a_loop_device()
    {
        Requires.LoopDevices();
        int seed = TestSeed.Next();
        var random = new Random(seed);
        await using var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        VolumeModel model = random.NextVolume(MaxBytes);
        for (int step = 0; step < 4; step++)
        {
            string what = $"seed {seed}, step {step}: {(step == 0 ? "full" : random.Mutate(model, MaxBytes))}";
            using var directory = new ScratchDirectory();
            model.WriteTo(directory.File("source.img"));
            await using var source = FileVolume.OpenRead(directory.File("source.img"));
            Backup backup = await repository.BackupAsync(
                source, new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = step > 0, ChunkSize = step > 0 ? null : 8192 }, cancellationToken: Repositories.Token);

            await using (FileVolume created = FileVolume.Create(directory.File("new.img"), backup.SizeBytes))
                await CheckAsync(created, new RestoreOptions(), "to a new file");

            foreach (bool differential in new[] { false, true })
            {
                string path = directory.File($"old-{differential}.img");
                await File.WriteAllBytesAsync(path, Repositories.Noise(model.SizeBytes + 777), Repositories.Token);
                await using FileVolume existing = FileVolume.OpenWrite(path);
                await CheckAsync(existing, new RestoreOptions { Differential = differential }, $"over a file, differential {differential}");

                using LoopDevice device = LoopDevice.Create(((model.SizeBytes / 4096) + 1) * 4096);
                await using FileVolume block = FileVolume.OpenWrite(device.Path);
                await block.WriteAsync(Repositories.Noise((int)block.SizeBytes), 0, Repositories.Token);
                await CheckAsync(block, new RestoreOptions { Differential = differential }, $"over a loop device, differential {differential}");
            }

            async Task CheckAsync(FileVolume target, RestoreOptions options, string kind)
            {
                await repository.RestoreAsync(backup.Id, target, options, cancellationToken: Repositories.Token);
                byte[] restored = new byte[model.SizeBytes];
                await target.ReadAsync(restored, 0, Repositories.Token);
                VolumeAssert.Same(model.Content, restored, $"{what}, {kind}");
            }
        }
    }

    /// <summary>The same changes as callers may tell them too: with what lies between them, parts of them twice, in any order.</summary>
    private static VolumeExtent[] Disorder(Random random, IReadOnlyList<VolumeExtent> changes)
    {
        var told = new List<VolumeExtent>();
        for (int first = 0, end; first < changes.Count; first = end)
        {
            end = random.Next(first, Math.Min(changes.Count, first + 20)) + 1;
            var whole = new VolumeExtent(changes[first].Offset, changes[end - 1].End - changes[first].Offset);
            long inner = random.NextInt64(whole.Length);
            told.AddRange(whole, new VolumeExtent(whole.Offset + inner, random.NextInt64(whole.Length - inner + 1)));
        }

        VolumeExtent[] shuffled = [.. told];
        random.Shuffle(shuffled);
        return shuffled;
    }

    private static async Task CheckRestoresAsync(BackupRepository repository, Backup backup, byte[] expected, Random random, string what)
    {
        var created = new MemoryVolume(expected.Length);
        await repository.RestoreAsync(backup.Id, created, cancellationToken: Repositories.Token);
        VolumeAssert.Same(expected, created.ToArray(), $"{what}, to a new volume");

        foreach (bool differential in new[] { false, true })
        {
            byte[] other = Repositories.Noise(expected.Length + 13);
            var target = new MemoryVolume(other);
            await repository.RestoreAsync(backup.Id, target, new RestoreOptions { Differential = differential }, cancellationToken: Repositories.Token);
            VolumeAssert.Same((byte[])[.. expected, .. other[expected.Length..]], target.ToArray(), $"{what}, over other data, differential {differential}");

            RestoreResult again = await repository.RestoreAsync(backup.Id, target, new RestoreOptions { Differential = true }, cancellationToken: Repositories.Token);
            Assert.True(again is { BytesWritten: 0, BytesZeroed: 0 }, $"{what}: a differential restore of what is there wrote {again}");

            byte[] partly = [.. other];
            int offset = random.Next(expected.Length + 1);
            var range = new VolumeExtent(offset, random.Next(expected.Length - offset + 1));
            target = new MemoryVolume(partly);
            await repository.RestoreAsync(backup.Id, target, new RestoreOptions { Differential = differential, Range = range }, cancellationToken: Repositories.Token);
            expected.AsSpan(offset, (int)range.Length).CopyTo(partly.AsSpan(offset));
            VolumeAssert.Same(partly, target.ToArray(), $"{what}, range {range}, differential {differential}");
        }

        await using Stream stream = await repository.OpenReadAsync(backup.Id, cancellationToken: Repositories.Token);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Repositories.Token);
        VolumeAssert.Same(expected, copy.ToArray(), $"{what}, as a stream");
        for (int read = 0; read < 5 && expected.Length > 0; read++)
        {
            byte[] piece = new byte[random.Next(1, Math.Min(expected.Length, 300_000) + 1)];
            stream.Position = random.Next(expected.Length - piece.Length + 1);
            int start = (int)stream.Position;
            await stream.ReadExactlyAsync(piece, Repositories.Token);
            VolumeAssert.Same(expected.AsMemory(start, piece.Length), piece, $"{what}, {piece.Length} bytes of the stream at {start}");
        }
    }

    private static BackupOptions NextOptions(Random random) => new()
    {
        VolumeId = Repositories.VolumeId,
        ChunkSize = (4 << 10) << random.Next(0, 6),
        Hash = (ChunkHash)random.Next(1, 5),
        Compression = NextCompression(random),
        Workers = random.Next(1, 5),
        MaxMemoryBytes = random.Next(2) == 0 ? 16 << 20 : 192 << 20,
    };

    private static ChunkCompression NextCompression(Random random) =>
        random.Next(3) switch { 0 => ChunkCompression.None, 1 => ChunkCompression.Lz4, _ => ChunkCompression.Zstd(random.Next(1, 4)) };
}
