using BackupEngine.Volumes;

namespace BackupEngine.TestKit.Volumes;

/// <summary>A volume as tests think of it: its bytes, and which blocks of it are holes. It can be had as any kind of real volume.</summary>
public sealed class VolumeModel
{
    public const int BlockSize = 4096;

    private bool[] _allocated;

    /// <summary>A volume that is one hole.</summary>
    public VolumeModel(int sizeBytes)
    {
        Content = new byte[sizeBytes];
        _allocated = new bool[MemoryVolume.BlockCount(sizeBytes, BlockSize)];
    }

    /// <summary>A volume with a copy of some content, and holes where whole blocks of it are zero.</summary>
    public static VolumeModel Of(ReadOnlySpan<byte> content)
    {
        var model = new VolumeModel(content.Length);
        for (int offset = 0; offset < content.Length; offset += BlockSize)
        {
            ReadOnlySpan<byte> block = content.Slice(offset, Math.Min(BlockSize, content.Length - offset));
            if (block.ContainsAnyExcept((byte)0))
                model.Write(block, offset);
        }
        return model;
    }

    /// <summary>All bytes; holes are zeros. Write by <see cref="Write"/>, which knows about holes.</summary>
    public byte[] Content { get; private set; }

    public int SizeBytes => Content.Length;

    public VolumeModel Clone() => new(0) { Content = [.. Content], _allocated = [.. _allocated] };

    public void Write(ReadOnlySpan<byte> source, int offset)
    {
        source.CopyTo(Content.AsSpan(offset));
        for (int block = offset / BlockSize; (long)block * BlockSize < offset + source.Length; block++)
            _allocated[block] = true;
    }

    /// <summary>Makes a range zero, and a hole where it has whole blocks.</summary>
    public void Punch(int offset, int length)
    {
        Content.AsSpan(offset, length).Clear();
        int end = offset + length;
        for (int block = MemoryVolume.BlockCount(offset, BlockSize); block < _allocated.Length && Math.Min(SizeBytes, (block + 1L) * BlockSize) <= end; block++)
            _allocated[block] = false;
    }

    /// <summary>Grows by a hole, or cuts off the end.</summary>
    public void Resize(int sizeBytes)
    {
        byte[] content = Content;
        bool[] allocated = _allocated;
        Array.Resize(ref content, sizeBytes);
        Array.Resize(ref allocated, MemoryVolume.BlockCount(sizeBytes, BlockSize));
        Content = content;
        _allocated = allocated;
    }

    /// <summary>A volume in memory, with the same holes.</summary>
    public MemoryVolume ToVolume() => new([.. Content], [.. _allocated], BlockSize);

    /// <summary>Writes a new image file, with the same holes when it is to be sparse.</summary>
    public void WriteTo(string path, bool sparse = true)
    {
        using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write);
        file.SetLength(SizeBytes);
        for (int block = 0; block < _allocated.Length; block++)
        {
            if (sparse && !_allocated[block])
                continue;
            int offset = block * BlockSize;
            file.Position = offset;
            file.Write(Content.AsSpan(offset, Math.Min(BlockSize, SizeBytes - offset)));
        }
    }

    /// <summary>Where two states differ, as whole blocks: what a dirty bitmap would tell. Growth counts, what was cut off does not.</summary>
    public IReadOnlyList<VolumeExtent> ChangesSince(VolumeModel earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        var changes = new List<VolumeExtent>();
        for (int offset = 0; offset < SizeBytes; offset += BlockSize)
        {
            int length = Math.Min(BlockSize, SizeBytes - offset);
            if (offset + length > earlier.SizeBytes || !Content.AsSpan(offset, length).SequenceEqual(earlier.Content.AsSpan(offset, length)))
                changes.Add(new VolumeExtent(offset, length));
        }
        return changes;
    }
}
