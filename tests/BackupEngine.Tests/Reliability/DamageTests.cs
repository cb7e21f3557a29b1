using System.Globalization;
using System.Security.Cryptography;
using BackupEngine.Catalog;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;
using BackupEngine.TestKit;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>
/// Random bits are flipped and objects cut off all over a repository. Each time deep verification finds it, or every restore is still right; and a restore
/// never finishes with a wrong byte. The whole run of 2,000 flips and 500 cuts is asked for by BACKUPENGINE_TEST_FLIPS=2000.
/// </summary>
public sealed class DamageTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string FlipsVariable = "BACKUPENGINE_TEST_FLIPS";
    private readonly InMemoryObjectStore _store = new();
    private readonly List<(Backup Backup, byte[] Content)> _backups = [];

    public async ValueTask InitializeAsync()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        var model = new VolumeModel(400_000);
        var random = new Random(5);
        model.Write(Repositories.Noise(150_000), 0);
        model.Write([.. Enumerable.Range(0, 120_000).Select(i => (byte)(i / 500))], 200_000);
        for (int step = 0; step < 3; step++)
        {
            Backup backup = await repository.BackupAsync(
                model.ToVolume(), new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = step > 0, ChunkSize = step > 0 ? null : 8192 }, cancellationToken: Repositories.Token);
            _backups.Add((backup, [.. model.Content]));
            model.Write(Repositories.Noise(20_000, step), random.Next(370_000));
            model.Punch(random.Next(300_000), 30_000);
        }
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task Every_flipped_bit_and_every_cut_is_found_or_harmless_and_no_restore_writes_a_wrong_byte()
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        int flips = Environment.GetEnvironmentVariable(FlipsVariable) is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : 120;
        var counts = new Dictionary<string, int>();
        List<string> keys = await _store.ListKeysAsync();
        for (int round = 0; round < flips + (flips / 4); round++)
        {
            string key = keys[random.Next(keys.Count)];
            byte[] whole = await _store.GetAllAsync(key, 1 << 20, Repositories.Token);
            byte[] damaged = [.. whole];
            int position = random.Next(whole.Length);
            string kind = "flip";
            if (round < flips)
                damaged[position] ^= (byte)(1 << random.Next(8));
            else
                (damaged, kind) = (damaged[..position], "cut");
            await _store.PutAsync(key, damaged, cancellationToken: Repositories.Token);
            string outcome = await JudgeAsync($"seed {seed}, {kind} at {position} of {key}");
            await _store.PutAsync(key, whole, cancellationToken: Repositories.Token);
            counts[$"{kind} {outcome}"] = counts.GetValueOrDefault($"{kind} {outcome}") + 1;
        }

        output.WriteLine($"seed {seed}: {string.Join(", ", counts.OrderBy(count => count.Key).Select(count => $"{count.Key}: {count.Value}"))}");
        Assert.True(counts.GetValueOrDefault("flip found") > flips / 4, "too few were found to have tested anything");
    }

    [Fact]
    public async Task A_damaged_pack_is_reported_for_every_backup_that_needs_it_with_the_bytes_of_the_volume()
    {
        string key = StoreKeys.Pack(Repositories.VolumeId, _backups[0].Backup.Id, 1);
        byte[] pack = await _store.GetAllAsync(key, 1 << 20, Repositories.Token);
        pack[64 + 32] ^= 1;
        await _store.PutAsync(key, pack, cancellationToken: Repositories.Token);
        VerifyReport report = await (await Repositories.OpenAsync(_store)).VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.Equal(_backups.Select(backup => backup.Backup.Id).Order(), report.Findings.Select(finding => finding.BackupId).Order());
        Assert.All(report.Findings, finding => Assert.Equal((key, 64L, 8192L), (finding.Key, finding.Offset, finding.VolumeLength)));
        Assert.Single(report.Findings.Select(finding => finding.VolumeOffset).Distinct());
    }

    /// <summary>What another repository, an older version of the object or somebody with bad intent may put there: its own checksums are right.</summary>
    [Fact]
    public async Task A_manifest_that_is_whole_but_not_the_one_that_was_committed_is_refused()
    {
        string key = _backups[0].Backup.ManifestKey!;
        byte[] manifest = await _store.GetAllAsync(key, 1 << 20, Repositories.Token);
        manifest[ManifestFormat.Header.ParentId] ^= 1;
        SHA256.HashData(manifest.AsSpan(..^SHA256.HashSizeInBytes), manifest.AsSpan(^SHA256.HashSizeInBytes..));
        ManifestDecoder.Decode(key, manifest);
        await _store.PutAsync(key, manifest, cancellationToken: Repositories.Token);
        await CheckFirstIsRefusedAsync(key, "the manifest does not match the SHA-256 in the record");
    }

    [Fact]
    public async Task A_page_that_is_whole_but_not_the_one_of_the_manifest_is_refused()
    {
        Manifest manifest = await _store.ReadManifestAsync(_backups[0].Backup, Repositories.Token);
        FrameLocation location = manifest.Pages[0].Location;
        string key = manifest.GetPackKey(location.Pack);
        byte[] pack = await _store.GetAllAsync(key, 1 << 20, Repositories.Token);
        Memory<byte> frame = pack.AsMemory((int)location.Offset, (int)location.Length);
        Assert.True(FrameHeader.TryRead(frame.Span, out FrameHeader header));
        frame.Span[^1] ^= 1; // in the digest of the last chunk
        FrameHeader.Seal(frame.Span, header.Kind, header.Codec, header.Number, header.PlainLength);
        Assert.True(FrameHeader.IsIntact(frame.Span));
        await _store.PutAsync(key, pack, cancellationToken: Repositories.Token);
        await CheckFirstIsRefusedAsync(key, "page 0 of the manifest is damaged");
    }

    [Fact]
    public async Task A_deep_look_reads_what_backups_share_once()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        VerifyReport all = await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        long one = (await repository.VerifyAsync(new VerifyOptions { Deep = true, BackupId = _backups[0].Backup.Id }, cancellationToken: Repositories.Token)).BytesRead;
        long last = (await repository.VerifyAsync(new VerifyOptions { Deep = true, Since = _backups[^1].Backup.CreatedAt }, cancellationToken: Repositories.Token)).BytesRead;
        Assert.Equal(3, all.BackupsChecked);
        Assert.Empty(all.Findings);
        Assert.InRange(one, 150_000, 250_000);
        Assert.InRange(all.BytesRead, one, one + 120_000);
        Assert.InRange(last, 1, 60_000);
    }

    [Fact]
    public async Task A_sample_reads_a_part()
    {
        var model = new VolumeModel(8 << 20);
        for (int page = 0; page < 8; page++)
            model.Write(Repositories.Noise(4096, page), page << 20);
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup backup = await repository.BackupAsync(model.ToVolume(), new BackupOptions { VolumeId = "sampled", ChunkSize = 4096 }, cancellationToken: Repositories.Token);
        var read = new List<long>();
        for (int round = 0; round < 30; round++)
        {
            VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true, BackupId = backup.Id, SamplePercent = 30 }, cancellationToken: Repositories.Token);
            Assert.Empty(report.Findings);
            read.Add(report.BytesRead / 4096);
        }

        // 240 pages drawn with a chance of 0.3: 72 are expected, and 30 or 130 are eight standard deviations away.
        Assert.InRange(read.Sum(), 30, 130);
        await Assert.ThrowsAsync<ArgumentException>(() => repository.VerifyAsync(new VerifyOptions { SamplePercent = 0 }, cancellationToken: Repositories.Token));
        await Assert.ThrowsAsync<ArgumentException>(() => repository.VerifyAsync(new VerifyOptions { SamplePercent = double.NaN }, cancellationToken: Repositories.Token));
    }

    private async Task CheckFirstIsRefusedAsync(string key, string problem)
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        var target = new MemoryVolume(400_000);
        var error = await Assert.ThrowsAsync<CorruptionException>(() => repository.RestoreAsync(_backups[0].Backup.Id, target, cancellationToken: Repositories.Token));
        Assert.Equal(key, error.Key);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, target.BytesWritten);
        VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.Contains(report.Findings, finding => finding.Key == key && finding.Problem.Contains(problem, StringComparison.Ordinal));
    }

    private async Task<string> JudgeAsync(string what)
    {
        BackupRepository repository;
        try
        {
            repository = await Repositories.OpenAsync(_store);
        }
        catch (RepositoryException)
        {
            return "found";
        }

        VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        bool isRight = true;
        foreach ((Backup backup, byte[] content) in _backups)
        {
            try
            {
                byte[] restored = await repository.RestoreOverAsync(backup);
                VolumeAssert.Same(content, restored, $"{what}: a restore that did not fail");
            }
            catch (BackupEngineException e) when (e is CorruptionException or BackupStateException or RepositoryException or BackupEngine.Volumes.VolumeException)
            {
                // Refused by name; of another size than it was, the volume does not fit into the target.
                isRight = false;
            }
        }

        Assert.True(isRight || report.Findings.Count > 0, $"{what}: verification found nothing, and a restore fails");
        return report.Findings.Count > 0 ? "found" : "harmless";
    }
}
