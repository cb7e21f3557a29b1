namespace BackupEngine.Service.Tests;

/// <summary>A volume's file, and what is in it.</summary>
internal sealed class TestVolume
{
    private readonly byte[] _content;

    private TestVolume(string directory, string id, int size)
    {
        Id = id;
        Path = System.IO.Path.Combine(directory, id + ".img");
        _content = new byte[size];
        Write();
    }

    public string Id { get; }

    public string Path { get; }

    public static TestVolume Create(ServiceUnderTest service, int size) => new(service.VolumesDirectory, Guid.NewGuid().ToString(), size);

    public static TestVolume Create(string directory, int size) => new(directory, Guid.NewGuid().ToString(), size);

    public byte[] Read() => File.ReadAllBytes(Path);

    public byte[] Fill(int seed)
    {
        new Random(seed).NextBytes(_content);
        return Write();
    }

    public byte[] Change(int offset, int length)
    {
        foreach (ref byte value in _content.AsSpan(offset, length))
        {
            value ^= 0x5a;
        }

        return Write();
    }

    public byte[] Zero(int offset, int length)
    {
        _content.AsSpan(offset, length).Clear();
        return Write();
    }

    private byte[] Write()
    {
        File.WriteAllBytes(Path, _content);
        return [.. _content];
    }
}
