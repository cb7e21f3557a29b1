using System.Security.Cryptography;
using System.Text.Json;

namespace BackupEngine.Cli.Tests.Running;

/// <summary>A directory for one test, with volumes to back up and a store.</summary>
public sealed class Workspace : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("backup-engine-cli-tests-").FullName;

    public string Store => PathOf("store");

    public string PathOf(string name) => Path.Combine(_root, name);

    /// <summary>Writes a volume of incompressible bytes that a seed decides.</summary>
    public string WriteVolume(string name, int size, int seed)
    {
        string path = PathOf(name);
        File.WriteAllBytes(path, Bytes(size, seed));
        return path;
    }

    /// <summary>Writes a volume of letters: the highest level of zstd keeps a worker busy with it for far longer than a signal takes.</summary>
    public string WriteTextVolume(string name, int size)
    {
        string path = PathOf(name);
        byte[] block = Bytes(1 << 20, seed: 1);
        for (int i = 0; i < block.Length; i++)
            block[i] = (byte)('a' + (block[i] % 8));
        using FileStream file = File.Create(path);
        for (int written = 0; written < size; written += block.Length)
            file.Write(block);
        return path;
    }

    /// <summary>Overwrites some bytes of a volume.</summary>
    public static void Change(string path, long offset, int length, int seed)
    {
        using FileStream file = File.OpenWrite(path);
        file.Position = offset;
        file.Write(Bytes(length, seed));
    }

    public static byte[] Bytes(int size, int seed)
    {
        byte[] bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Backs up a volume into <see cref="Store"/>.</summary>
    /// <returns>The record.</returns>
    internal async Task<JsonElement> BackupAsync(string volume, params string[] more) =>
        (await CliProcess.RunAsync(["backup", volume, "--store", Store, "--json", .. more])).MustSucceed().Json;

    /// <summary>Backs up a volume into <see cref="Store"/>.</summary>
    /// <returns>The backup's id.</returns>
    internal async Task<string> BackupIdAsync(string volume, params string[] more) =>
        (await BackupAsync(volume, more)).GetProperty("id").GetString()!;

    /// <summary>The store lists exactly these backups, and this one restores to these bytes.</summary>
    internal async Task MustStillHoldAsync(string backupId, byte[] content, int backups = 1)
    {
        JsonElement list = (await CliProcess.RunAsync("list", "--store", Store, "--json")).MustSucceed().Json;
        Assert.Equal(backups, list.GetArrayLength());
        Assert.All(list.EnumerateArray(), backup => Assert.Equal("available", backup.GetProperty("status").GetString()));

        string target = PathOf($"check-{Guid.NewGuid():N}.img");
        (await CliProcess.RunAsync("restore", backupId, "--store", Store, "--to", target)).MustSucceed();
        Assert.Equal(content, File.ReadAllBytes(target));
        File.Delete(target);
    }

    /// <summary>Every file below a directory, with a hash of what it holds: equal lists are equal stores.</summary>
    public static IReadOnlyList<string> FilesOf(string directory) =>
        [.. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Order().Select(path => $"{Path.GetRelativePath(directory, path)} {Sha256Of(path)}")];

    public static string Sha256Of(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
