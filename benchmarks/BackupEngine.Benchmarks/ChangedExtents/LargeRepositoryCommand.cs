using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using BackupEngine.Benchmarks.Data;
using BackupEngine.Benchmarks.Running;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;

namespace BackupEngine.Benchmarks.ChangedExtents;

/// <summary>
/// <c>large-repository DIRECTORY [--volume-gib N] [--changed-mib N] [--extent-kib N]</c>: makes DIRECTORY/store with a full backup of a large volume
/// (<see cref="LargeRepository"/>), DIRECTORY/volume.img that holds only what changed since, and DIRECTORY/changed.txt that says where.
/// </summary>
internal static class LargeRepositoryCommand
{
    public static async Task RunAsync(string[] args, CancellationToken cancellationToken = default)
    {
        var arguments = new Arguments(args, options: ["--volume-gib", "--changed-mib", "--extent-kib"], flags: []);
        string directory = Path.GetFullPath(arguments.GetOnlyValue("DIRECTORY"));
        long volumeSize = arguments.GetNumber("--volume-gib", 1024) << 30;
        long changedSize = arguments.GetNumber("--changed-mib", 64) << 20;
        long extentLength = arguments.GetNumber("--extent-kib", 64) << 10;
        if (changedSize % extentLength != 0 || changedSize > volumeSize / 2)
            throw new UsageException("--changed-mib must be a multiple of --extent-kib, and at most half the volume");

        Directory.CreateDirectory(directory);
        string storeDirectory = Path.Combine(directory, "store");
        await using var store = new DirectoryObjectStore(new DirectoryObjectStoreOptions { Path = storeDirectory, Durable = false });
        var repository = new LargeRepository(store, storeDirectory, volumeSize);
        await repository.CreateAsync(cancellationToken);
        VolumeExtent[] extents = Scatter(volumeSize, (int)(changedSize / extentLength), extentLength);
        await WriteVolumeAsync(Path.Combine(directory, "volume.img"), volumeSize, extents, cancellationToken);
        await File.WriteAllLinesAsync(
            Path.Combine(directory, "changed.txt"),
            extents.Select(extent => string.Create(CultureInfo.InvariantCulture, $"{extent.Offset} {extent.Length}")),
            cancellationToken);

        var result = new LargeRepositoryResult(
            volumeSize, repository.PackCount, repository.PagePackBytes, repository.ManifestBytes, changedSize, extents.Length, LargeRepository.VolumeId);
        Console.WriteLine(JsonSerializer.Serialize(result, LargeRepositoryJson.Default.LargeRepositoryResult));
    }

    /// <summary>One extent somewhere in each of as many equal parts of the volume.</summary>
    private static VolumeExtent[] Scatter(long volumeSize, int count, long extentLength)
    {
        var random = new Random(1);
        long part = volumeSize / count;
        return [.. Enumerable.Range(0, count).Select(index =>
            new VolumeExtent((index * part) + (random.NextInt64((part - extentLength) / extentLength) * extentLength), extentLength))];
    }

    private static async Task WriteVolumeAsync(string path, long size, VolumeExtent[] extents, CancellationToken cancellationToken)
    {
        var data = new SyntheticData(seed: 4);
        byte[] bytes = new byte[extents[0].Length];
        await using FileVolume volume = FileVolume.Create(path, size);
        foreach (VolumeExtent extent in extents)
        {
            data.Fill(bytes);
            await volume.WriteAsync(bytes, extent.Offset, cancellationToken);
        }
    }
}

/// <summary>What was made.</summary>
internal sealed record LargeRepositoryResult(
    long VolumeSize, long DataPacks, long PagePackBytes, long ManifestBytes, long ChangedBytes, int ChangedExtents, string VolumeId);

/// <summary>The JSON that the verb prints.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LargeRepositoryResult))]
internal sealed partial class LargeRepositoryJson : JsonSerializerContext;
